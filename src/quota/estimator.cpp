#include "quota/estimator.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/eight_bytes.hpp"

namespace spillway::quota {
namespace {

/// Tokens per character: first guesses between those of the o200k and cl100k vocabularies; bounds that hold
/// for whole texts of both (English prose 0.2 to 0.25, code 0.25 to 0.4, hex and base64 0.5 and more). The
/// upper ones, with the margin below, are at most three times what the sparest plain text of the kind takes.
constexpr float prior_chars = 8'000;
constexpr std::array<LearnedFactor::Bounds, text_kinds> text_bounds{{{0.25F, 0.15F, 0.5F, prior_chars},
                                                                     {0.35F, 0.18F, 0.6F, prior_chars},
                                                                     {0.35F, 0.18F, 0.65F, prior_chars},
                                                                     {0.75F, 0.4F, 1.2F, prior_chars}}};
/// Descriptions of tools are JSON for us and a shorter notation for the model; each has a frame of its own
/// (OpenAI cookbook, "How to count tokens", tools: 7 to 10 at the begin, 12 at the end).
constexpr LearnedFactor::Bounds schema_bounds{0.25F, 0.1F, 0.8F, prior_chars};
constexpr double per_tool = 16;
constexpr LearnedFactor::Bounds media_bounds{1.0F, 0.25F, 4.0F, 20'000};
/// Of what was learned a mean: a tenth more covers most prompts. Of what was not, a half more for tools.
constexpr double margin = 1.1;
constexpr double tools_doubt = 0.5;
constexpr double media_doubt = 0.2;

/// Sound: a token each 100 ms (OpenAI, "Audio and speech"). A page: its text, and a picture of it.
constexpr double per_audio_ms = 0.01;
constexpr double per_page = 1'200;

constexpr float first_output = 256;
constexpr float first_fill = 0.5F;
/// Tokens a chat template puts around each message (OpenAI cookbook, "How to count tokens": 3 and the role).
constexpr double per_item = 4;
/// Short texts say little about tokens per character.
constexpr std::uint64_t least_chars = 16;
/// A mean moves by at least 1/50 of what is new.
constexpr std::uint32_t memory = 50;
/// One sample shows at most so much, and all that was seen counts for at most so much against the next.
constexpr float most_of_one = 4'000;
constexpr float most_seen = 200'000;
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

ChargeModel::Features features(const RequestShape& s, double extras) noexcept {
    ChargeModel::Features x{};
    x[index(s.kind)] = static_cast<double>(s.chars);
    x[text_kinds + 2] = extras;
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

/// Tokens of media by the published rules.
double by_rule(const api::Media& m, const MediaPrice& price) noexcept {
    return price.picture * m.pictures + price.tile * m.tiles + price.patch * m.patches +
           per_audio_ms * m.audio_ms + per_page * m.pages;
}

}  // namespace

OutsideAscii outside_ascii(std::string_view body, std::uint64_t prompt_chars) noexcept {
    if (prompt_chars == 0) return {};
    Counts found;
    double part = 1;  // of the body that is examined
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

RequestShape shape_of(const api::RequestScan& scan, std::string_view body, std::string_view model,
                      bool has_output) noexcept {
    const auto at_most = [](std::size_t n) {
        return static_cast<std::uint32_t>(std::min<std::size_t>(n, 1'000'000));
    };
    RequestShape s;
    s.chars = scan.prompt_chars;
    s.token_ids = scan.prompt_token_ids;
    s.schema_chars = scan.schema_chars;
    s.tools = at_most(scan.tools);
    s.items = at_most(scan.prompt_items);
    s.n = std::max<std::uint32_t>(scan.n, 1);
    s.max_tokens = scan.max_tokens;
    s.media = scan.media;
    if (!s.media.empty()) s.price = media_price(model);
    if (!scan.ascii) s.kind = kind_of(outside_ascii(body, scan.prompt_chars));
    s.has_output = has_output;
    return s;
}

std::uint64_t most_output(std::uint64_t one, std::uint32_t n) noexcept {
    const std::uint64_t times = std::max<std::uint32_t>(n, 1);
    constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
    return one > most / times ? most : one * times;
}

MediaPrice media_price(std::string_view model) noexcept {
    const auto has = [model](std::string_view part) { return model.find(part) != std::string_view::npos; };
    if (has("4o-mini")) return {2833, 5667, 0};
    if (has("computer-use")) return {65, 129, 0};
    if (has("nano")) return {0, 0, 2.46};
    if (has("o4-mini")) return {0, 0, 1.72};
    if (has("4.1-mini") || has("5-mini")) return {0, 0, 1.62};
    if (has("gpt-5.")) return {0, 0, 1.2};
    if (has("gpt-5")) return {70, 140, 0};
    if (has("o1") || has("o3")) return {75, 150, 0};
    return {};
}

double LearnedFactor::doubt() const noexcept {
    return bounds_.prior / (bounds_.prior + seen_.load(std::memory_order_relaxed));
}

void LearnedFactor::learn(double sample, double weight) noexcept {
    if (!(weight > 0) || !(sample > bounds_.least / 4) || !(sample < bounds_.most * 4)) return;
    const float within = std::clamp(static_cast<float>(sample), bounds_.least, bounds_.most);
    const float shown = std::min(static_cast<float>(weight), most_of_one);
    const float seen = seen_.load(std::memory_order_relaxed);
    const float share = shown / (bounds_.prior + seen + shown);
    float old = value_.load(std::memory_order_relaxed);
    while (!value_.compare_exchange_weak(old, old + (within - old) * share, std::memory_order_relaxed)) {
    }
    seen_.store(std::min(seen + shown, most_seen), std::memory_order_relaxed);
}

Estimator::Estimator() noexcept
    : per_char_{LearnedFactor(text_bounds[0]), LearnedFactor(text_bounds[1]), LearnedFactor(text_bounds[2]),
                LearnedFactor(text_bounds[3])},
      per_schema_char_(schema_bounds),
      media_(media_bounds),
      output_(first_output),
      fill_(first_fill) {}

double Estimator::tokens_per_char(TextKind kind) const noexcept {
    return per_char_[index(kind)].value();
}

Estimator::Parts Estimator::parts(const RequestShape& s) const noexcept {
    Parts p;
    p.text = static_cast<double>(s.chars) * tokens_per_char(s.kind);
    p.frame = s.has_output ? per_item * s.items : 0;
    if (s.schema_chars > 0)
        p.tools = static_cast<double>(s.schema_chars) * per_schema_char_.value() + per_tool * s.tools;
    if (!s.media.empty()) p.media = by_rule(s.media, s.price) * media_.value();
    p.history = static_cast<double>(s.history);
    return p;
}

double Estimator::reserved(const RequestShape& s, const Parts& p) const noexcept {
    double sum = p.text * margin + p.frame + p.history;
    if (s.schema_chars > 0) sum += p.tools * (margin + tools_doubt * per_schema_char_.doubt());
    if (!s.media.empty()) sum += p.media * (margin + media_doubt * media_.doubt());
    return sum;
}

Estimate Estimator::estimate(const RequestShape& s) const noexcept {
    Estimate e;
    const Parts p = parts(s);
    const std::uint64_t ids = std::min(s.token_ids, most_tokens);
    e.prompt = ids + whole(p.sum());
    e.reserve = ids + whole(reserved(s, p));
    if (s.has_output) {
        const double most = static_cast<double>(std::min(s.max_tokens.value_or(most_tokens), most_tokens));
        const double one = s.max_tokens ? most * fill_.load(std::memory_order_relaxed)
                                        : output_.load(std::memory_order_relaxed);
        e.output = whole(one * std::max<std::uint32_t>(s.n, 1));
    }
    e.charge = ids + whole(charge_.predict(features(s, p.extras())));
    e.error = error_.load(std::memory_order_relaxed);
    e.charge_error = charge_.error();
    return e;
}

/// Only what can be separated is learned: text from plain text, tools from requests with nothing else
/// besides, media from those with text alone.
void Estimator::learn_prompt(const RequestShape& s, double prompt) noexcept {
    const double rest = prompt - static_cast<double>(s.token_ids) - (s.has_output ? per_item * s.items : 0);
    const auto chars = static_cast<double>(s.chars);
    if (s.is_plain()) {
        if (s.chars >= least_chars) per_char_[index(s.kind)].learn(rest / chars, chars);
        return;
    }
    if (s.history > 0) return;
    const double without_text = rest - chars * tokens_per_char(s.kind);
    if (s.media.empty()) {
        const auto schema = static_cast<double>(s.schema_chars);
        per_schema_char_.learn((without_text - per_tool * s.tools) / schema, schema);
    } else if (s.schema_chars == 0) {
        const double rule = by_rule(s.media, s.price);
        media_.learn(without_text / rule, rule);
    }
}

void Estimator::used(const RequestShape& s, const api::Usage& usage) noexcept {
    if (usage.prompt > most_tokens || usage.completion > most_tokens) return;
    const Estimate before = estimate(s);
    const double real = static_cast<double>(usage.prompt + usage.completion);
    const std::uint32_t seen = answers_.fetch_add(1, std::memory_order_relaxed) + 1;
    if (real > 0)
        move(error_, std::min(std::abs(static_cast<double>(before.total()) - real) / real, 1.0), seen);
    if (usage.prompt > s.token_ids) learn_prompt(s, static_cast<double>(usage.prompt));
    if (!s.has_output || usage.completion == 0) return;
    const double one = static_cast<double>(usage.completion) / std::max<std::uint32_t>(s.n, 1);
    if (!s.max_tokens)
        move(output_, one, seen);
    else if (*s.max_tokens > 0)
        move(fill_, std::min(one / static_cast<double>(*s.max_tokens), 1.0), seen);
}

void Estimator::charged(const RequestShape& s, std::uint64_t tokens) noexcept {
    if (tokens == 0 || tokens > most_tokens || tokens < s.token_ids) return;
    charge_.learn(features(s, parts(s).extras()), static_cast<double>(tokens - s.token_ids));
}

}  // namespace spillway::quota
