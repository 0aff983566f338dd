#pragma once
/// Made-up messages that all micro-benchmarks share. Each text differs from the next, as real ones do.
#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.hpp"

namespace spillway::bench {

/// English-like words, about `chars` of them together.
inline std::string words(std::size_t chars, Rng& rng) {
    std::string out;
    while (out.size() < chars) {
        for (std::uint64_t n = 2 + rng.below(8); n > 0; --n)
            out += static_cast<char>('a' + static_cast<char>(rng.below(26)));
        out += rng.below(12) == 0 ? ".\\n" : " ";
    }
    return out;
}

/// A chat request with a text of about `chars`.
inline std::string chat_request(std::size_t chars, Rng& rng) {
    return fmt::format(
        R"({{"model":"gpt-4o","messages":[{{"role":"system","content":"Answer in short."}},)"
        R"({{"role":"user","content":"{}"}}],"max_tokens":{},"temperature":0.7,"stream":false}})",
        words(chars, rng), 100 + rng.below(400));
}

/// Several texts of one kind, to be taken in turn.
template <class Make>
std::vector<std::string> several(std::uint64_t seed, Make make) {
    Rng rng(seed);
    std::vector<std::string> out;
    for (int i = 0; i < 16; ++i) out.push_back(make(rng));
    return out;
}

inline std::vector<std::string> chat_requests(std::size_t chars) {
    return several(chars, [chars](Rng& rng) { return chat_request(chars, rng); });
}

/// The heads of such requests, as an SDK writes them; each with another id.
inline std::vector<std::string> request_heads() {
    return several(2, [](Rng& rng) {
        return fmt::format(
            "POST /openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21 HTTP/1.1\r\n"
            "Host: gateway.example.com\r\nAccept: application/json\r\nAccept-Encoding: gzip, deflate\r\n"
            "Connection: keep-alive\r\nContent-Type: application/json\r\n"
            "User-Agent: AzureOpenAI/Python 1.52.0\r\nX-Stainless-Lang: python\r\n"
            "X-Stainless-Package-Version: 1.52.0\r\nX-Stainless-OS: Linux\r\nX-Stainless-Arch: x64\r\n"
            "X-Stainless-Runtime: CPython\r\nX-Stainless-Runtime-Version: 3.12.3\r\n"
            "api-key: 0123456789abcdef0123456789abcdef\r\nX-Request-Id: {:016x}\r\n"
            "Content-Length: {}\r\n\r\n",
            rng(), 900 + rng.below(900));
    });
}

/// An answer's head as Azure writes it.
inline std::vector<std::string> answer_heads() {
    return several(3, [](Rng& rng) {
        return fmt::format(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nContent-Type: application/json\r\n"
            "apim-request-id: {:016x}\r\nStrict-Transport-Security: max-age=31536000; includeSubDomains\r\n"
            "x-content-type-options: nosniff\r\nx-ms-region: Sweden Central\r\n"
            "x-ratelimit-remaining-requests: {}\r\nx-ratelimit-remaining-tokens: {}\r\n"
            "Date: Mon, 06 Jan 2025 10:00:00 GMT\r\n\r\n",
            700 + rng.below(400), rng(), rng.below(6000), rng.below(1'000'000));
    });
}

/// A streamed answer of `events` chunks, [DONE] included.
inline std::string chat_stream(std::size_t events) {
    Rng rng(4);
    std::string out;
    for (std::size_t i = 0; i + 1 < events; ++i)
        out += fmt::format(
            R"(data: {{"id":"chatcmpl-{:08x}","object":"chat.completion.chunk","created":1736157600,)"
            R"("model":"gpt-4o-2024-08-06","system_fingerprint":"fp_67802d9a6d","choices":[{{"index":0,)"
            R"("delta":{{"content":"{}"}},"logprobs":null,"finish_reason":null}}]}})"
            "\n\n",
            rng() & 0xffffffffU, words(4, rng));
    return out += "data: [DONE]\n\n";
}

}  // namespace spillway::bench
