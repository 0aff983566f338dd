// What is done when a backend refuses, and how streams and prompts are treated.
#include "config/codecs.hpp"
#include "config/settings.hpp"

namespace spillway::config {
namespace {

const Fields<RetryBudget>& budget_fields() {
    static const auto fields =
        Fields<RetryBudget>()
            .add("ratio", &RetryBudget::ratio, codec::Number{0, 100},
                 {.help = "retries that each request earns, so that retries cannot multiply the load"})
            .add("burst", &RetryBudget::burst, codec::Whole{0, 1'000'000'000},
                 {.help = "retries that can be saved up"});
    return fields;
}

}  // namespace

const Fields<RetryConfig>& retry_fields() {
    static const auto fields =
        Fields<RetryConfig>()
            .add("max_attempts", &RetryConfig::max_attempts, codec::Whole{0, 1000},
                 {.help = "attempts for one request, the first included; 0 is the number of backends + 1"})
            .section("budget", &RetryConfig::budget, budget_fields())
            .add("default_cool_down", &RetryConfig::default_cool_down, codec::Time{},
                 {.help = "rest of a backend that refused without naming a time"})
            .add("max_cool_down", &RetryConfig::max_cool_down, codec::Time{},
                 {.help = "longest rest, even if a backend asks for more"})
            .add("max_wait", &RetryConfig::max_wait, codec::Time{.min = Duration::zero()},
                 {.help = "how long a request may be held until quota frees, if that is sooner; 0 refuses it "
                          "at once with a `Retry-After`"})
            .add("on_timeout", &RetryConfig::on_timeout, codec::Flag{},
                 {.help = "ask another backend after a time-out of a request that was accepted, although it "
                          "is then generated, and paid for, twice"})
            .then([](yaml::MapReader& reader, RetryConfig& retry) {
                if (retry.default_cool_down > retry.max_cool_down)
                    reader.error(reader.has("default_cool_down") ? "default_cool_down" : "max_cool_down",
                                 "default_cool_down is longer than max_cool_down, which caps it");
            });
    return fields;
}

const Fields<AffinityConfig>& affinity_fields() {
    static const auto fields = Fields<AffinityConfig>().add(
        "prompt_cache", &AffinityConfig::prompt_cache, codec::Flag{},
        {.help = "requests whose long prompts begin alike go to the same backend, whose prompt cache then "
                 "serves them cheaper and faster, as long as it has quota"});
    return fields;
}

const Fields<StreamConfig>& stream_fields() {
    static const auto fields =
        Fields<StreamConfig>()
            .add("late_commit", &StreamConfig::late_commit, codec::Flag{},
                 {.help = "hold a stream's first events back until there is output, so that an early failure "
                          "can be retried elsewhere"})
            .add("max_preamble", &StreamConfig::max_preamble_bytes,
                 codec::Size{1024, std::size_t{64} * 1024 * 1024}, {.help = "most that is held back"})
            .add("heartbeat", &StreamConfig::heartbeat, codec::Time{.min = Duration::zero()},
                 {.help = "while a stream has nothing to show, its client gets a comment this often, so that "
                          "neither it nor a proxy takes it for dead; 0 sends none"})
            .add("include_usage", &StreamConfig::include_usage, codec::Flag{},
                 {.help = "ask for token counts in streams; the client sees them only if it asked too"});
    return fields;
}

}  // namespace spillway::config
