#pragma once
/// Deterministic embeddings by feature hashing: words and their trigrams add signed hashed directions, so
/// that texts with common words are close to each other. Always of length 1. Thread rule: pure. Errors: none.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace spillway::emulator {

/// `dimensions` > 0. ASCII case and punctuation do not matter.
[[nodiscard]] std::vector<float> embed(std::string_view text, std::size_t dimensions);
/// The floats' little-endian bytes in base64, for `encoding_format: base64`.
[[nodiscard]] std::string to_base64(const std::vector<float>& values);

}  // namespace spillway::emulator
