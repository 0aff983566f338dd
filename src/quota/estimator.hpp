#pragma once
/// Estimates the tokens of a request before it is sent, and learns from what it really took.
///
/// Three figures: what it will *use* (prompt and output as billed), what to *reserve* of a client's limits
/// for its prompt (above the former, so that requests at the same time do not slip past a limit), and what a
/// backend will *charge* at admission (for the mirror of its quota). The first two are learned from
/// api::Usage, the third from charges that Router::began() could measure.
///
/// Text, descriptions of tools, media and what the server remembers of a conversation are estimated each for
/// what they are, and each learns only from requests that tell it apart: text from plain text alone. Tokens
/// per character differ with the text: English takes about 0.25, Korean 0.5 to 1.2. So they are learned for
/// four kinds, told apart by the share and the length in UTF-8 of characters outside ASCII (bench/estimator
/// shows why, and how far off it is). What is learned is weighed by how much was seen, and stays within what
/// tokenizers can do: whatever other clients send, a plain text of n tokens is never reserved at more than 3n
/// and a constant.
///
///     const auto shape = quota::shape_of(scan, body, model);
///     const quota::Estimate e = estimator.estimate(shape);  // e.charge goes into routing::Ask::tokens
///     if (auto c = router.began(lease, limits, now)) estimator.charged(shape, *c);
///     estimator.used(shape, usage);
///
/// Thread rule: any thread, no lock. Errors: none; numbers that make no sense are not learned from.
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "api/media.hpp"
#include "api/request_scan.hpp"
#include "api/usage.hpp"
#include "quota/charge_model.hpp"

namespace spillway::quota {

enum class TextKind : std::uint8_t {
    ascii,    ///< less than 5 % of the characters are outside ASCII: English, code
    mixed,    ///< up to 40 %: French, Vietnamese, code with Korean comments
    letters,  ///< more, most of them below U+0800: Russian, Greek, Arabic
    wide,     ///< more: Korean, Chinese, Japanese
};

/// Shares of the prompt's characters.
struct OutsideAscii {
    double letters = 0;  ///< U+0080 to U+07FF, two bytes of UTF-8
    double wide = 0;     ///< beyond
};
/// From the JSON text of a request: UTF-8 or \u escapes. Bodies over 8 KiB are sampled.
[[nodiscard]] OutsideAscii outside_ascii(std::string_view body, std::uint64_t prompt_chars) noexcept;
[[nodiscard]] TextKind kind_of(const OutsideAscii& share) noexcept;

/// How a model counts media in tokens (OpenAI, "Images and vision", calculating costs).
struct MediaPrice {
    double picture = 85;
    double tile = 170;
    double patch = 0;
};
/// By the model's or deployment's name; of names that tell nothing, the usual price.
[[nodiscard]] MediaPrice media_price(std::string_view model) noexcept;

/// What an estimate depends on. A small value: keep it until the usage is known.
struct RequestShape {
    std::uint64_t chars = 0;      ///< Unicode characters of text
    std::uint64_t token_ids = 0;  ///< given as numbers
    /// Tokens of what the server remembers of this conversation (quota/history_sizes.hpp).
    std::uint64_t history = 0;
    std::uint64_t schema_chars = 0;  ///< api::RequestScan's
    std::uint32_t tools = 0;
    std::uint32_t items = 0;  ///< messages, prompts, inputs
    std::uint32_t n = 1;      ///< answers
    std::optional<std::uint64_t> max_tokens;
    api::Media media;
    MediaPrice price;  ///< of the model that is asked
    TextKind kind = TextKind::ascii;
    bool has_output = true;  ///< false: embeddings

    /// Nothing but text and token ids, or hardly more: `response_format` says JSON in a word.
    [[nodiscard]] bool is_plain() const noexcept {
        return history == 0 && tools == 0 && schema_chars < 64 && media.empty();
    }
};
[[nodiscard]] RequestShape shape_of(const api::RequestScan& scan, std::string_view body,
                                    std::string_view model, bool has_output = true) noexcept;

struct Estimate {
    std::uint64_t prompt = 0;  ///< tokens it will use
    std::uint64_t output = 0;
    std::uint64_t reserve = 0;  ///< tokens to set aside for the prompt, at least what it should use
    std::uint64_t charge = 0;   ///< tokens a backend will charge at admission
    double error = 1;  ///< mean absolute error of prompt + output so far, as a share; 1: nothing learned
    double charge_error = 1;  ///< the same for charge

    [[nodiscard]] std::uint64_t total() const noexcept { return prompt + output; }
};

/// The answers' part of a reservation, for `n` of them; saturates.
[[nodiscard]] std::uint64_t most_output(std::uint64_t one, std::uint32_t n) noexcept;

/// A factor that is learned within bounds, from samples that weigh as much as they show.
class LearnedFactor {
public:
    struct Bounds {
        float first, least, most;
        float prior;  ///< how much has to be seen until it counts as much as the first guess
    };
    explicit LearnedFactor(const Bounds& bounds) noexcept : bounds_(bounds), value_(bounds.first) {}

    [[nodiscard]] double value() const noexcept { return value_.load(std::memory_order_relaxed); }
    /// 1 at first, towards 0 the more was seen.
    [[nodiscard]] double doubt() const noexcept;
    /// `sample` was seen over `weight` characters or tokens. What no tokenizer does is left out.
    void learn(double sample, double weight) noexcept;

private:
    const Bounds bounds_;
    std::atomic<float> value_;
    std::atomic<float> seen_{0};
};

/// Of one deployment.
class Estimator {
public:
    Estimator() noexcept;

    [[nodiscard]] Estimate estimate(const RequestShape& shape) const noexcept;
    /// The answer told its usage.
    void used(const RequestShape& shape, const api::Usage& usage) noexcept;
    /// A backend charged this much at admission.
    void charged(const RequestShape& shape, std::uint64_t tokens) noexcept;

    [[nodiscard]] double tokens_per_char(TextKind kind) const noexcept;

private:
    /// Tokens of each part of the prompt, as expected.
    struct Parts {
        double text = 0, frame = 0, tools = 0, media = 0, history = 0;
        [[nodiscard]] double sum() const noexcept { return text + frame + tools + media + history; }
        [[nodiscard]] double extras() const noexcept { return tools + media + history; }
    };
    [[nodiscard]] Parts parts(const RequestShape& s) const noexcept;
    [[nodiscard]] double reserved(const RequestShape& s, const Parts& p) const noexcept;
    void learn_prompt(const RequestShape& s, double prompt) noexcept;

    std::array<LearnedFactor, text_kinds> per_char_;
    LearnedFactor per_schema_char_;
    LearnedFactor media_;        ///< of what the published rules say
    std::atomic<float> output_;  ///< mean length of one answer without max_tokens
    std::atomic<float> fill_;    ///< mean share of max_tokens that an answer takes
    std::atomic<float> error_{1};
    std::atomic<std::uint32_t> answers_{0};
    ChargeModel charge_;
};

/// One Estimator for each number of routing::DeploymentRef.
class Estimators {
public:
    /// For numbers below `count`; see Router::deployment_bound().
    explicit Estimators(std::uint32_t count) : all_(std::make_unique<Estimator[]>(count)), count_(count) {}

    /// Numbers out of range share the first.
    [[nodiscard]] Estimator& of(std::uint32_t number) noexcept { return all_[number < count_ ? number : 0]; }

private:
    std::unique_ptr<Estimator[]> all_;
    std::uint32_t count_;
};

}  // namespace spillway::quota
