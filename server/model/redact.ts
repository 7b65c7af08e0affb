/** Takes secrets out of a text, whoever put them there. */

/** Shorter ones are no secrets, and would tear holes into every sentence. */
const secretCharsMin = 4;
/** What a provider makes of a key when it quotes it: `sk-ab***yz`. */
const quotedKey = /\bsk-[\w*.-]+/g;

export function redaction(secrets: readonly string[]): (text: string) => string {
  const known = secrets.filter((secret) => secret.length >= secretCharsMin).sort((a, b) => b.length - a.length);
  return (text) =>
    known.reduce((rest, secret) => rest.replaceAll(secret, '[secret]'), text).replace(quotedKey, '[secret]');
}
