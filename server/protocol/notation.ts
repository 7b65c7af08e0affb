/** Prints zod schemas as TypeScript-like types, with a field's description behind it where the line has room. */
import * as z from 'zod';

const lineCharsMax = 118;
/** A longer description is told in prose. */
const docCharsMax = 78;

/** What is read of a JSON Schema, as `z.toJSONSchema` makes them. */
type Schema = {
  $ref?: string;
  type?: string;
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
  description?: string;
  default?: unknown;
};

/** A setting by its path, as one row: `limits.steps`, `integer`, `200`, what it means. */
export type SettingRow = { path: string; type: string; default: string; doc: string };

export type Notation = {
  /** The type by its name where it has one. */
  of(schema: z.ZodType): string;
  /** `type Name = …` */
  declaration(name: string): string;
  /** The leaves of an object of settings. */
  settings(schema: z.ZodType): SettingRow[];
};

/** A notation in which these schemas are named, wherever they stand inside of another. */
export function notationWith(named: Readonly<Record<string, z.ZodType>>): Notation {
  for (const [id, schema] of Object.entries(named)) {
    z.globalRegistry.add(schema, { ...z.globalRegistry.get(schema), id });
  }
  const schemaOf = (schema: z.ZodType): Schema => jsonSchema.parse(z.toJSONSchema(schema, { io: 'input' }));
  // As a field of something else a named schema is defined apart from the reference to it.
  const definitions = z
    .object({ $defs: z.record(z.string(), z.unknown()) })
    .parse(z.toJSONSchema(z.object(named), { io: 'input' })).$defs;
  return {
    of: (schema) => {
      const property = schemaOf(z.object({ it: schema })).properties?.it ?? {};
      return print(property, 0);
    },
    declaration: (name) => `type ${name} = ${print(jsonSchema.parse(definitions[name]), 0)}`.replace('= \n', '=\n'),
    settings: (schema) => settingRows(schemaOf(schema), ''),
  };
}

/** Everything of a JSON Schema is optional: an empty one is any value at all. */
const jsonSchema: z.ZodType<Schema> = z.looseObject({}).transform((value): Schema => value);

function print(schema: Schema, indent: number): string {
  if (schema.$ref) return schema.$ref.replace(/^.*\//, '');
  if (schema.const !== undefined) return literal(schema.const);
  if (schema.enum) return schema.enum.map(literal).join(' | ');
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return union(choices, indent);
  if (schema.type === 'array') {
    const item = print(schema.items ?? {}, indent);
    return item.includes(' | ') && !item.startsWith('{') ? `(${item})[]` : `${item}[]`;
  }
  if (schema.properties) return object(schema.properties, schema.required ?? [], indent);
  if (typeof schema.additionalProperties === 'object') {
    return `Record<string, ${print(schema.additionalProperties, indent)}>`;
  }
  if (schema.type === 'object') return '{}';
  return schema.type ?? 'unknown';
}

const literal = (value: unknown): string => (typeof value === 'string' ? `'${value}'` : JSON.stringify(value));

function union(choices: readonly Schema[], indent: number): string {
  const printed = choices.map((choice) => print(choice, indent + 4));
  const line = printed.join(' | ');
  if (indent + line.length <= lineCharsMax && !line.includes('\n')) return line;
  return printed.map((choice) => `\n${' '.repeat(indent + 2)}| ${choice}`).join('');
}

function object(properties: Record<string, Schema>, required: readonly string[], indent: number): string {
  const fields = Object.entries(properties).map(([name, schema]) => {
    const mark = required.includes(name) ? '' : '?';
    return { text: `${name}${mark}: ${print(schema, indent + 2)}`, doc: schema.$ref ? undefined : schema.description };
  });
  if (fields.length === 0) return '{}';
  const line = `{ ${fields.map(({ text }) => text).join('; ')} }`;
  const fits = indent + line.length <= lineCharsMax && !line.includes('\n');
  if (fits && fields.every(({ doc }) => !doc || doc.length > docCharsMax)) return line;
  const pad = ' '.repeat(indent + 2);
  const lines = fields.map(({ text, doc }) => {
    const said = `${pad}${text}; // ${doc}`;
    return doc && doc.length <= docCharsMax ? said : `${pad}${text};`;
  });
  return `{\n${lines.join('\n')}\n${' '.repeat(indent)}}`;
}

function settingRows(schema: Schema, prefix: string): SettingRow[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]): SettingRow[] => {
    const path = prefix + name;
    if (field.properties) return settingRows(field, `${path}.`);
    const fallback = field.default === undefined ? '' : JSON.stringify(field.default);
    return [{ path, type: print(field, 0), default: fallback, doc: field.description ?? '' }];
  });
}
