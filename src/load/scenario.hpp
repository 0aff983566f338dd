#pragma once
/// What a chat app's users write: how long, in which language, for how many turns. The same generator gives
/// the same conversations. Errors: none.
///
/// Ownership: a Conversation owns its messages and views its Scenario and system message, which outlive it.
/// Thread rule: a Conversation is for one thread at a time.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/rng.hpp"

namespace spillway::load {

/// All integers from `low` to `high` are equally likely.
struct Span {
    std::uint32_t low = 1;
    std::uint32_t high = 1;
    [[nodiscard]] std::uint32_t pick(Rng& rng) const noexcept {
        return low + static_cast<std::uint32_t>(rng.below(std::uint64_t{high} - low + 1));
    }
    friend bool operator==(const Span&, const Span&) = default;
};

struct Scenario {
    Span turns{2, 8};                    ///< of a conversation; then the user starts another
    double prompt_words = 40;            ///< median of a question's words (log-normal)
    double spread = 0.6;                 ///< sigma of the logarithm of lengths; 0: all are the median
    unsigned system_prompt_words = 120;  ///< of the app's own instructions, the same for all; 0: none
    double answer_tokens = 150;          ///< median of the length requested; 0: the model decides
    std::uint32_t max_tokens = 1000;     ///< sent as the limit of each answer; 0: none is sent
    double stream_share = 1;             ///< of conversations that are streamed
    double korean_share = 0;             ///< of conversations in Korean
    Duration think_time = std::chrono::seconds(10);  ///< closed model: mean time between turns (exponential)
};

/// The app's own instructions as a JSON message, without a comma; empty if there are none.
[[nodiscard]] std::string system_message(const Scenario& scenario);

/// A text of `words` words, with full stops.
[[nodiscard]] std::string some_text(Rng& rng, std::size_t words, bool korean);

class Conversation {
public:
    Conversation(const Scenario& scenario, std::string_view system, Rng rng);

    /// Adds the user's next question.
    void ask();
    /// Adds the answer to it, which becomes part of the history.
    void answered(std::string_view text);
    /// The question got no answer: it is dropped, but counts as a turn.
    void forgotten();

    [[nodiscard]] bool over() const noexcept { return turns_left_ == 0; }
    /// The JSON messages so far, separated by commas, without the brackets around them.
    [[nodiscard]] std::string_view messages() const noexcept { return messages_; }
    [[nodiscard]] bool streamed() const noexcept { return streamed_; }
    [[nodiscard]] std::uint32_t max_tokens() const noexcept { return scenario_->max_tokens; }

private:
    const Scenario* scenario_;
    Rng rng_;
    std::string messages_;
    std::size_t before_question_ = 0;
    std::uint32_t turns_left_ = 1;
    bool streamed_ = true;
    bool korean_ = false;
};

}  // namespace spillway::load
