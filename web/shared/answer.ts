// What is asked of a server and what it answered, as both pages need it.

/** What no page of another origin can send without being allowed to (see http/same_origin.hpp). */
export const ownPage = { "x-spillway-page": "1" };

/** Why it refused: an error in OpenAI's form, or else the status. */
export async function refusalOf(answer: Response): Promise<{ message: string; code: string }> {
  const status = `${answer.status} ${answer.statusText}`;
  try {
    const body = (await answer.json()) as { error?: { message?: string; code?: string } };
    return { message: body.error?.message ?? status, code: body.error?.code ?? "" };
  } catch {
    return { message: status, code: "" }; // Not JSON: the status says enough.
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
