// What the chat server sends; see src/chat/server.hpp and turn.hpp.
export interface Conversation {
  id: string;
  title: string;
  leaf: string;
  created: number;
  updated: number;
}

export interface Source {
  marker: string;
  document: string;
  name: string;
  page: number;
  line: number;
  texts: string[];
  score: number;
  word_rank: number;
  vector_rank: number;
  similarity: number;
}

export interface Failure {
  kind: string;
  message: string;
  code?: string;
  status?: number;
  backend?: string;
  attempts?: number;
  request_id?: string;
  retry_after_ms?: number;
}

export type Step =
  | {
      kind: "search";
      question: string;
      context: string;
      by_meaning: boolean;
      model: string;
      trouble: string;
      ms: number;
      results: Source[];
    }
  // `history`: messages of the conversation between the first and the last; absent where all are there.
  | { kind: "prompt"; model: string; history?: number; messages: { role: string; content: string }[] }
  | { kind: "retry"; shown: number; error: Failure };

export interface Details {
  backend?: string;
  attempts?: number;
  status?: number;
  model?: string;
  request_id?: string;
  finish_reason?: string;
  usage?: { prompt: number; completion: number };
  asked?: number;
  first_ms?: number;
  total_ms?: number;
  sources?: Source[];
  steps?: Step[];
  follow_ups?: string[];
}

export interface Message {
  id: string;
  parent: string;
  role: "user" | "assistant";
  text: string;
  state: "done" | "stopped" | "failed" | "streaming";
  created: number;
  details: Details;
}

export interface Document {
  id: string;
  name: string;
  type: string;
  bytes: number;
  pages: number;
  chunks: number;
  embedding_model: string;
  created: number;
}

export interface Settings {
  system_prompt: string;
  temperature: number | null;
  max_tokens: number;
  sources: number;
  follow_ups: boolean;
  show_backend: boolean;
}

export interface Session {
  settings: Settings;
  default_system_prompt: string;
  version: string;
  host: string;
  model: string;
  embedding_model: string;
  max_upload_bytes: number;
}

export type TurnEvent =
  | { type: "started"; title: string; answer: string; question: Message }
  | { type: "step"; step: Step }
  | { type: "sources"; sources: Source[] }
  | ({ type: "backend" } & Details)
  | { type: "text"; text: string }
  | { type: "replace"; text: string }
  | { type: "done"; message: Message }
  | { type: "stopped" }
  | { type: "follow_ups"; questions: string[] }
  | { type: "error"; error: Failure; message?: Message }
  | { type: "end" };

export type UploadEvent =
  | { type: "progress"; stage: "reading" | "embedding" | "waiting"; done: number; total: number; wait_ms: number }
  | { type: "document"; document: Document; trouble: string }
  | { type: "error"; message: string; code?: string }
  | { type: "end" };
