#include "quota/estimator.hpp"

#include <algorithm>
#include <cmath>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/eight_bytes.hpp"

namespace spillway::quota {
namespace {

/// First guesses of tokens per character, between those of the o200k and cl100k vocabularies.
constexpr std::array<float, text_kinds> first_per_char{0.25F, 0.35F, 0.35F, 0.75F};
constexpr float first_output = 256;
constexpr float first_fill = 0.5F;
/// Tokens a chat template puts around each message (OpenAI cookbook, "How to count tokens": 3 and the role).
constexpr double per_item = 4;
/// Short texts tell little about tokens per character.
constexpr std::uint64_t least_chars = 16;
/// A mean moves by at least 1/50 of what is new.
constexpr std::uint32_t memory = 50;
constexpr std::uint64_t most_tokens = 1'000'000'000;

constexpr std::size_t whole_body = 8 * 1024;
constexpr std::size_t sample_bytes = 64;
constexpr std::size_t samples = 64;

void move(std::atomic<float>& mean, double value, std::uint32_t seen, double weight = 1) noexcept {
    const double share = weight / static_cast<double>(std::clamp<std::uint32_t>(seen, 1, memory));
    float old = mean.load(std::memory_order_relaxed);
    while (!mean.compare_exchange_weak(old, static_cast<float>(old + (value - old) * std::min(share, 1.0)),
                                       std::memory_order_relaxed)) {
    }
}

std::size_t index(TextKind kind) noexcept {
    return std::min(static_cast<std::size_t>(kind), text_kinds - 1);
}

#if defined(__SSE2__)
constexpr std::size_t word_bytes = 16;

/// Sixteen bytes of ASCII without a backslash.
bool is_plain_word(const char* at) noexcept {
    const __m128i word =
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));  // NOLINT: as the intrinsic asks
    return _mm_movemask_epi8(_mm_or_si128(word, _mm_cmpeq_epi8(word, _mm_set1_epi8('\\')))) == 0;
}
#else
constexpr std::size_t word_bytes = eight_bytes::size;

/// Sure when true: eight bytes of ASCII without a backslash.
bool is_plain_word(const char* at) noexcept {
    const std::uint64_t word = eight_bytes::load(at);
    return ((word & eight_bytes::tops) | eight_bytes::equal(word, '\\')) == 0;
}
#endif

struct Counts {
    std::size_t letters = 0;
    std::size_t wide = 0;
};

/// Adds the characters outside ASCII that begin in `text`: lead bytes of UTF-8, or \u escapes (those up to
/// U+00FF are taken for ASCII). Half of a surrogate pair counts as one: such characters take more tokens
/// anyway.
void count_outside_ascii(std::string_view text, Counts& counts) noexcept {
    for (std::size_t i = 0; i < text.size(); ++i) {
        while (i + word_bytes <= text.size() && is_plain_word(text.data() + i)) i += word_bytes;
        if (i == text.size()) break;
        const auto c = static_cast<unsigned char>(text[i]);
        if (c >= 0xE0)
            ++counts.wide;
        else if (c >= 0xC0)
            ++counts.letters;
        if (c != '\\' || i + 1 >= text.size()) continue;
        if (text[i + 1] == 'u' && i + 5 < text.size() && text.substr(i + 2, 2) != "00")
            ++(text[i + 2] == '0' && text[i + 3] < '8' ? counts.letters : counts.wide);
        ++i;  // what is escaped is no backslash that begins an escape
    }
}

ChargeModel::Features features(const RequestShape& s) noexcept {
    ChargeModel::Features x{};
    x[index(s.kind)] = static_cast<double>(s.chars);
    if (!s.has_output) return x;
    const double n = std::max<std::uint32_t>(s.n, 1);
    if (s.max_tokens)
        x[text_kinds] = n * static_cast<double>(std::min(*s.max_tokens, most_tokens));
    else
        x[text_kinds + 1] = n;
    return x;
}

std::uint64_t whole(double tokens) noexcept {
    return static_cast<std::uint64_t>(std::ceil(std::clamp(tokens, 0.0, static_cast<double>(most_tokens))));
}

}  // namespace

OutsideAscii outside_ascii(std::string_view body, std::uint64_t prompt_chars) noexcept {
    if (prompt_chars == 0) return {};
    Counts found;
    double part = 1;  // of the body that is looked at
    if (body.size() <= whole_body) {
        count_outside_ascii(body, found);
    } else {
        const std::size_t step = body.size() / samples;
        for (std::size_t i = 0; i < samples; ++i)
            count_outside_ascii(body.substr(i * step, sample_bytes), found);
        part = static_cast<double>(samples * sample_bytes) / static_cast<double>(body.size());
    }
    const auto share = [&](std::size_t count) {
        return std::min(static_cast<double>(count) / part / static_cast<double>(prompt_chars), 1.0);
    };
    return {share(found.letters), share(found.wide)};
}

TextKind kind_of(const OutsideAscii& share) noexcept {
    const double all = share.letters + share.wide;
    if (all < 0.05) return TextKind::ascii;
    if (all < 0.40) return TextKind::mixed;
    return share.letters > share.wide ? TextKind::letters : TextKind::wide;
}

RequestShape shape_of(const api::RequestScan& scan, std::string_view body, bool has_output) noexcept {
    RequestShape s;
    s.chars = scan.prompt_chars;
    s.token_ids = scan.prompt_token_ids;
    s.items = static_cast<std::uint32_t>(std::min<std::size_t>(scan.prompt_items, 1'000'000));
    s.n = std::max<std::uint32_t>(scan.n, 1);
    s.max_tokens = scan.max_tokens;
    if (!scan.ascii) s.kind = kind_of(outside_ascii(body, scan.prompt_chars));
    s.has_output = has_output;
    return s;
}

Estimator::Estimator() noexcept : output_(first_output), fill_(first_fill) {
    for (std::size_t i = 0; i < text_kinds; ++i)
        per_char_[i].store(first_per_char[i], std::memory_order_relaxed);
}

double Estimator::tokens_per_char(TextKind kind) const noexcept {
    return per_char_[index(kind)].load(std::memory_order_relaxed);
}

Estimate Estimator::estimate(const RequestShape& s) const noexcept {
    Estimate e;
    const double overhead = s.has_output ? per_item * s.items : 0;
    e.prompt = s.token_ids + whole(static_cast<double>(s.chars) * tokens_per_char(s.kind) + overhead);
    if (s.has_output) {
        const double most = static_cast<double>(std::min(s.max_tokens.value_or(most_tokens), most_tokens));
        const double one = s.max_tokens ? most * fill_.load(std::memory_order_relaxed)
                                        : output_.load(std::memory_order_relaxed);
        e.output = whole(one * std::max<std::uint32_t>(s.n, 1));
    }
    e.charge = s.token_ids + whole(charge_.predict(features(s)));
    e.error = error_.load(std::memory_order_relaxed);
    e.charge_error = charge_.error();
    return e;
}

void Estimator::used(const RequestShape& s, const api::Usage& usage) noexcept {
    if (usage.prompt > most_tokens || usage.completion > most_tokens) return;
    const Estimate before = estimate(s);
    const double real = static_cast<double>(usage.prompt + usage.completion);
    const std::uint32_t seen = answers_.fetch_add(1, std::memory_order_relaxed) + 1;
    if (real > 0)
        move(error_, std::min(std::abs(static_cast<double>(before.total()) - real) / real, 1.0), seen);

    if (s.chars >= least_chars && usage.prompt > s.token_ids) {
        const double overhead = s.has_output ? per_item * s.items : 0;
        const double text = static_cast<double>(usage.prompt - s.token_ids) - overhead;
        const double ratio = text / static_cast<double>(s.chars);
        // Images and tools in the prompt take tokens that have no characters here.
        if (ratio > 0.02 && ratio < 4) {
            auto& count = samples_[index(s.kind)];
            const std::uint32_t n = count.fetch_add(1, std::memory_order_relaxed) + 1;
            move(per_char_[index(s.kind)], ratio, n, std::min(1.0, static_cast<double>(s.chars) / 200));
        }
    }
    if (!s.has_output || usage.completion == 0) return;
    const double one = static_cast<double>(usage.completion) / std::max<std::uint32_t>(s.n, 1);
    if (!s.max_tokens)
        move(output_, one, seen);
    else if (*s.max_tokens > 0)
        move(fill_, std::min(one / static_cast<double>(*s.max_tokens), 1.0), seen);
}

void Estimator::charged(const RequestShape& s, std::uint64_t tokens) noexcept {
    if (tokens == 0 || tokens > most_tokens || tokens < s.token_ids) return;
    charge_.learn(features(s), static_cast<double>(tokens - s.token_ids));
}

}  // namespace spillway::quota
