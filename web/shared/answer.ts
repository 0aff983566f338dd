// What is asked of a server and what it answered, as both pages need it.

/** What no page of another origin can send without being allowed to (see http/same_origin.hpp). */
export const ownPage = { "x-spillway-page": "1" };

/** What is wrong with one member of what was sent. */
export interface Problem {
  param: string;
  message: string;
}
export interface Refusal {
  message: string;
  code: string;
  problems: Problem[];
}

/** Why it refused: an error in OpenAI's form, or else the status. */
export async function refusalOf(answer: Response): Promise<Refusal> {
  const status = `${answer.status} ${answer.statusText}`;
  try {
    const { error } = (await answer.json()) as { error?: Partial<Refusal> };
    return { message: error?.message ?? status, code: error?.code ?? "", problems: error?.problems ?? [] };
  } catch {
    return { message: status, code: "", problems: [] }; // Not JSON: the status says enough.
  }
}

/** A streamed body's whole parts, as they come; what is behind the last separator is dropped. */
export async function* partsOf(answer: Response, separator: string): AsyncGenerator<string> {
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value;
    const parts = rest.split(separator);
    rest = parts.pop()!;
    yield* parts;
  }
}
