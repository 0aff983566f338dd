#pragma once
/// Estimates the tokens of a request before it is sent, and learns from what it really took.
///
/// Two different figures: what it will *use* (prompt and output as billed: for clients' budgets), and what a
/// backend will *charge* at admission (for the mirror of its quota). The first is learned from api::Usage,
/// the second from charges that Router::began() could measure.
///
/// Tokens per character differ with the text: English takes about 0.25, Korean 0.5 to 1.2. So they are
/// learned for four kinds, told apart by the share and the length in UTF-8 of characters outside ASCII
/// (bench/estimator shows why, and how far off it is).
///
///     const auto shape = quota::shape_of(scan, body);
///     const quota::Estimate e = estimator.estimate(shape);          // e.charge goes into
///     routing::Ask::tokens if (auto c = router.began(lease, limits, now)) estimator.charged(shape, *c);
///     estimator.used(shape, usage);
///
/// Thread rule: any thread, no lock. Errors: none; numbers that make no sense are not learned from.
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

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

/// What an estimate depends on. A value of 40 bytes: keep it until the usage is known.
struct RequestShape {
    std::uint64_t chars = 0;      ///< Unicode characters of text
    std::uint64_t token_ids = 0;  ///< given as numbers
    std::uint32_t items = 0;      ///< messages, prompts, inputs
    std::uint32_t n = 1;          ///< answers
    std::optional<std::uint64_t> max_tokens;
    TextKind kind = TextKind::ascii;
    bool has_output = true;  ///< false: embeddings
};
[[nodiscard]] RequestShape shape_of(const api::RequestScan& scan, std::string_view body,
                                    bool has_output = true) noexcept;

struct Estimate {
    std::uint64_t prompt = 0;  ///< tokens it will use
    std::uint64_t output = 0;
    std::uint64_t charge = 0;  ///< tokens a backend will charge at admission
    double error = 1;  ///< mean absolute error of prompt + output so far, as a share; 1: nothing learned
    double charge_error = 1;  ///< the same for charge

    [[nodiscard]] std::uint64_t total() const noexcept { return prompt + output; }
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
    std::array<std::atomic<float>, text_kinds> per_char_;
    std::array<std::atomic<std::uint32_t>, text_kinds> samples_{};
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
