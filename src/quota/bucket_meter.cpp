#include "quota/bucket_meter.hpp"

#include <algorithm>

namespace spillway::quota {

template <class BucketKind>
std::optional<Hold> BucketMeter<BucketKind>::reserve(std::uint64_t amount, Mono now, bool force) noexcept {
    const std::int64_t tick = floor_ticks(now);
    const std::uint64_t wanted = level_.need(amount);
    BucketKind next = level_.at(tick);
    if (!force && next.is_limited() && !next.fits(wanted)) return std::nullopt;
    next.add(wanted);
    level_ = next;
    return corrections_.placed(level_, wanted, tick);
}

template <class BucketKind>
std::optional<std::uint64_t> BucketMeter<BucketKind>::observe(const Hold& hold, Mono sent,
                                                              std::uint64_t reported) noexcept {
    const std::int64_t tick = floor_ticks(sent);
    if (corrections_.compare(tick, reported, level_.length).latest)
        corrections_.apply(level_, hold, tick, reported);
    return std::nullopt;
}

template <class BucketKind>
void BucketMeter<BucketKind>::refused(const Hold& hold, Mono sent, std::optional<Duration> wait,
                                      std::optional<std::uint64_t> reported) noexcept {
    correct(hold.generation, -std::int64_t{hold.amount});
    // The mark counts the hold; the correction above takes it out again.
    if (reported) correct(hold.generation, corrections_.error_of(hold, floor_ticks(sent), *reported));
    if (level_.generation != hold.generation) return;
    // The least that explains the refusal.
    std::int64_t least = 0;
    if (level_.basis == Basis::reported) least = level_.refuses_from(std::min(hold.amount, level_.limit), 1);
    const Duration length = tick_length * level_.length;
    if (wait && level_.limit != 0 && *wait <= length) {
        const double over = to_seconds(*wait) / to_seconds(length) * static_cast<double>(level_.limit);
        least = level_.refuses_from(hold.amount, static_cast<std::int64_t>(over));
    }
    if (level_.count < least) correct(hold.generation, least - level_.count);
}

template class BucketMeter<StrictLevel>;
template class BucketMeter<LenientLevel>;

}  // namespace spillway::quota
