#include "emulator/embedding.hpp"

#include <openssl/evp.h>

#include <bit>
#include <cmath>
#include <cstdint>

#include "base/rng.hpp"
#include "emulator/words.hpp"

namespace spillway::emulator {
namespace {

static_assert(std::endian::native == std::endian::little, "to_base64 copies floats as they lie");

void add_feature(std::vector<float>& v, std::string_view feature, float weight) {
    constexpr int directions = 8;
    Rng rng(fnv1a(feature));
    for (int i = 0; i < directions; ++i) {
        const std::uint64_t r = rng();
        v[static_cast<std::size_t>((r >> 1U) % v.size())] += (r & 1U) != 0 ? weight : -weight;
    }
}

bool is_separator(char c) noexcept {
    const auto u = static_cast<unsigned char>(c);
    return u < 0x80U && !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'));
}

}  // namespace

std::vector<float> embed(std::string_view text, std::size_t dimensions) {
    std::vector<float> v(dimensions, 0.0F);
    const std::string lower = lowered(text);
    std::size_t at = 0;
    while (at < lower.size()) {
        while (at < lower.size() && is_separator(lower[at])) ++at;
        std::size_t end = at;
        while (end < lower.size() && !is_separator(lower[end])) ++end;
        const std::string_view word = std::string_view(lower).substr(at, end - at);
        if (!word.empty()) add_feature(v, word, 1.0F);
        for (std::size_t i = 0; i + 3 <= word.size(); ++i) add_feature(v, word.substr(i, 3), 0.25F);
        at = end;
    }
    double sum = 0;
    for (const float x : v) sum += static_cast<double>(x) * static_cast<double>(x);
    if (sum <= 0) {  // nothing but blanks, or all cancelled
        v[static_cast<std::size_t>(fnv1a(text) % dimensions)] = 1.0F;
        return v;
    }
    const double scale = 1.0 / std::sqrt(sum);
    for (float& x : v) x = static_cast<float>(static_cast<double>(x) * scale);
    return v;
}

std::string to_base64(const std::vector<float>& values) {
    const std::size_t bytes = values.size() * sizeof(float);
    std::string out(4 * ((bytes + 2) / 3) + 1, '\0');
    const int n =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                        reinterpret_cast<const unsigned char*>(values.data()), static_cast<int>(bytes));
    out.resize(static_cast<std::size_t>(n));
    return out;
}

}  // namespace spillway::emulator
