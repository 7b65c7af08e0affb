/** Each validator answers `{ errors, value }`: sentences for the client, or the cleaned-up body. */

const emailPattern = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

export function validateAccount(body) {
  if (!isObject(body)) return { errors: ['The body must be an object.'] };
  const errors = unknownFields(body, ['name', 'email']);
  if (!isText(body.name, 100)) errors.push('name must be a text of 1 to 100 characters.');
  if (!isText(body.email, 254) || !emailPattern.test(body.email)) errors.push('email must be an email address.');
  if (errors.length > 0) return { errors };
  return { errors, value: { name: body.name.trim(), email: body.email.toLowerCase() } };
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value, charactersMax) {
  return typeof value === 'string' && value.trim().length > 0 && value.length <= charactersMax;
}

function unknownFields(body, known) {
  return Object.keys(body)
    .filter((key) => !known.includes(key))
    .map((key) => `${key} is not a known field.`);
}
