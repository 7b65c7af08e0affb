/** The model that a request's settings name, with the key of the face that asks. */
import type { Model } from '../model/model.ts';
import { openaiModel } from '../model/openai.ts';
import type { FailureReason } from '../protocol/thread.ts';
import type { TaskRequest } from './ports.ts';

/** Nothing is loaded or sent before the first request. */
export function modelFor({
  settings,
  environment,
}: TaskRequest): { model: Model } | { error: { reason: FailureReason; message: string } } {
  const { provider } = settings;
  if (provider.wireApi === 'chat') {
    const message = "provider.wireApi 'chat' is not implemented yet; use a server of the Responses API ('responses').";
    return { error: { reason: 'noModel', message } };
  }
  const apiKey = environment[provider.apiKeyEnv];
  if (!apiKey) {
    const message = `${provider.apiKeyEnv} is not set; set it to your key where the editor or shell is started (for a local server that needs none, to any word).`;
    return { error: { reason: 'noModel', message } };
  }
  const baseURL = provider.baseURL ?? (environment.OPENAI_BASE_URL || undefined);
  if (baseURL !== undefined && !URL.canParse(baseURL)) {
    // Not shown: a password may be in it.
    const message = 'OPENAI_BASE_URL is not a URL. It is an address such as http://localhost:11434/v1.';
    return { error: { reason: 'noModel', message } };
  }
  return { model: openaiModel({ baseURL, apiKey, headers: provider.headers, apiKeyEnv: provider.apiKeyEnv }) };
}
