#pragma once
/// Estimates a request's tokens before it is sent, and learns from what it really used.
///
/// There are three figures: what it will *use* (prompt and output as billed), what to *reserve* of a client's
/// limits for its prompt (more than it should use, so that concurrent requests cannot slip past a limit), and
/// what a backend will *charge* at admission (for the mirror of its quota). The first two are learned from
/// api::Usage, the third from charges that Router::began() could measure.
///
/// Text, descriptions of tools, media and the server's memory of a conversation are estimated separately, and
/// each is learned only from requests that show it separately: text from plain text alone. Tokens per
/// character depend on the text: about 0.25 for English, 0.5 to 1.2 for Korean. So they are learned for four
/// kinds, distinguished by the share of characters outside ASCII and their length in UTF-8 (bench/estimator
/// shows why, and how accurate this is). What is learned is weighted by the amount seen, and kept within what
/// tokenizers can produce: whatever other clients send, a plain text of n tokens is never reserved at more
/// than 3n and a constant.
///
///     const auto shape = quota::shape_of(scan, body, model);
///     const quota::Estimate e = estimator.estimate(shape);  // e.charge goes into routing::Ask::tokens
///     if (auto c = router.began(lease, limits, now)) estimator.charged(shape, *c);
///     estimator.used(shape, usage);
///
/// Thread rule: any thread, no lock. Errors: none; implausible numbers are ignored.
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
    letters,  ///< above that, most below U+0800: Russian, Greek, Arabic
    wide,     ///< above that: Korean, Chinese, Japanese
};

/// Shares of the prompt's characters.
struct OutsideAscii {
    double letters = 0;  ///< U+0080 to U+07FF, two bytes of UTF-8
    double wide = 0;     ///< beyond
};
/// Taken from the JSON text of a request, in UTF-8 or \u escapes. Bodies over 8 KiB are sampled.
[[nodiscard]] OutsideAscii outside_ascii(std::string_view body, std::uint64_t prompt_chars) noexcept;
[[nodiscard]] TextKind kind_of(const OutsideAscii& share) noexcept;

/// A model's tokens for media (OpenAI, "Images and vision", calculating costs).
struct MediaPrice {
    double picture = 85;
    double tile = 170;
    double patch = 0;
};
/// By the name of the model or deployment; the usual price if the name is not known.
[[nodiscard]] MediaPrice media_price(std::string_view model) noexcept;

/// The inputs of an estimate. A small value, to be kept until the usage is known.
struct RequestShape {
    std::uint64_t chars = 0;      ///< Unicode characters of text
    std::uint64_t token_ids = 0;  ///< given as numbers
    /// Tokens of the conversation that the server remembers (quota/history_sizes.hpp).
    std::uint64_t history = 0;
    std::uint64_t schema_chars = 0;  ///< from api::RequestScan
    std::uint32_t tools = 0;
    std::uint32_t items = 0;  ///< messages, prompts, inputs
    std::uint32_t n = 1;      ///< answers
    std::optional<std::uint64_t> max_tokens;
    api::Media media;
    MediaPrice price;  ///< of the requested model
    TextKind kind = TextKind::ascii;
    bool has_output = true;  ///< false: embeddings

    /// Only text and token ids, or hardly more, such as a short `response_format`.
    [[nodiscard]] bool is_plain() const noexcept {
        return history == 0 && tools == 0 && schema_chars < 64 && media.empty();
    }
};
[[nodiscard]] RequestShape shape_of(const api::RequestScan& scan, std::string_view body,
                                    std::string_view model, bool has_output = true) noexcept;

struct Estimate {
    std::uint64_t prompt = 0;  ///< tokens it will use
    std::uint64_t output = 0;
    std::uint64_t reserve = 0;  ///< tokens to reserve for the prompt, at least its expected use
    std::uint64_t charge = 0;   ///< tokens a backend will charge at admission
    double error = 1;         ///< mean absolute error of prompt + output so far, relative; 1: nothing learned
    double charge_error = 1;  ///< the same for charge

    [[nodiscard]] std::uint64_t total() const noexcept { return prompt + output; }
};

/// The output's part of a reservation, for `n` answers; saturates.
[[nodiscard]] std::uint64_t most_output(std::uint64_t one, std::uint32_t n) noexcept;

/// A factor that is learned within bounds, from samples weighted by the amount they cover.
class LearnedFactor {
public:
    struct Bounds {
        float first, least, most;
        float prior;  ///< the amount at which samples weigh as much as the first guess
    };
    explicit LearnedFactor(const Bounds& bounds) noexcept : bounds_(bounds), value_(bounds.first) {}

    [[nodiscard]] double value() const noexcept { return value_.load(std::memory_order_relaxed); }
    /// 1 at first, approaching 0 with the amount seen.
    [[nodiscard]] double doubt() const noexcept;
    /// `sample` was seen over `weight` characters or tokens. Ignores what no tokenizer can produce.
    void learn(double sample, double weight) noexcept;

private:
    const Bounds bounds_;
    std::atomic<float> value_;
    std::atomic<float> seen_{0};
};

/// For one deployment.
class Estimator {
public:
    Estimator() noexcept;

    [[nodiscard]] Estimate estimate(const RequestShape& shape) const noexcept;
    /// The answer has reported its usage.
    void used(const RequestShape& shape, const api::Usage& usage) noexcept;
    /// A backend has charged this much at admission.
    void charged(const RequestShape& shape, std::uint64_t tokens) noexcept;

    [[nodiscard]] double tokens_per_char(TextKind kind) const noexcept;

private:
    /// Expected tokens of each part of the prompt.
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
    LearnedFactor media_;        ///< applied to the published rules
    std::atomic<float> output_;  ///< mean length of one answer without max_tokens
    std::atomic<float> fill_;    ///< mean share of max_tokens that an answer uses
    std::atomic<float> error_{1};
    std::atomic<std::uint32_t> answers_{0};
    ChargeModel charge_;
};

/// One Estimator for each number of routing::DeploymentRef.
class Estimators {
public:
    /// For indices below `count`; see Router::deployment_bound().
    explicit Estimators(std::uint32_t count) : all_(std::make_unique<Estimator[]>(count)), count_(count) {}

    /// Indices out of range share the first.
    [[nodiscard]] Estimator& of(std::uint32_t number) noexcept { return all_[number < count_ ? number : 0]; }

private:
    std::unique_ptr<Estimator[]> all_;
    std::uint32_t count_;
};

}  // namespace spillway::quota
