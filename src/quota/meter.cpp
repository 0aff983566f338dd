#include "quota/meter.hpp"

#include <algorithm>

namespace spillway::quota {

const Level& MeterLevel::common() const noexcept {
    return std::visit([](const auto& level) -> const Level& { return level; }, kind_);
}

std::uint64_t MeterLevel::used(Mono now) const noexcept {
    return std::visit([&](const auto& level) { return std::uint64_t{level.at(floor_ticks(now)).count}; },
                      kind_);
}

Headroom MeterLevel::headroom(std::uint64_t amount, Mono now) const noexcept {
    return std::visit([&](const auto& level) { return level.headroom(amount, now); }, kind_);
}

Duration MeterLevel::phase_gap() const noexcept {
    const auto* window = std::get_if<WindowLevel>(&kind_);
    return window == nullptr ? length() : tick_length * window->gap;
}

Meter::Kind Meter::make(api::QuotaModel model, Duration length) noexcept {
    switch (model) {
        case api::QuotaModel::strict_bucket:
            return StrictBucket(length);
        case api::QuotaModel::lenient_bucket:
            return LenientBucket(length);
        case api::QuotaModel::window:
            break;
    }
    return WindowMeter(length);
}

Meter::Meter(api::QuotaModel model, Duration length) noexcept : kind_(make(model, length)) {}

MeterLevel Meter::level() const noexcept {
    return std::visit([](const auto& kind) { return MeterLevel(kind.level()); }, kind_);
}

void Meter::restore(const MeterLevel& level) noexcept {
    std::visit(
        [&](auto& kind) {
            using Mine = std::remove_cvref_t<decltype(kind.level())>;
            if (const auto* const other = std::get_if<Mine>(&level.kind())) kind.level() = *other;
        },
        kind_);
}

void Meter::set_limit(std::uint64_t limit, Basis basis) noexcept {
    std::visit([&](auto& kind) { kind.level().set_limit(limit, basis); }, kind_);
}

void Meter::set_length(Duration length) noexcept {
    std::visit([&](auto& kind) { kind.level().set_length(length); }, kind_);
}

std::optional<Hold> Meter::reserve(std::uint64_t amount, Mono now, bool force) noexcept {
    return std::visit([&](auto& kind) { return kind.reserve(amount, now, force); }, kind_);
}

void Meter::adjust(const Hold& hold, std::int64_t delta) noexcept {
    std::visit([&](auto& kind) { kind.correct(hold.generation, delta); }, kind_);
}

void Meter::others_sent(std::int64_t amount, Mono now) noexcept {
    if (amount > 0)
        (void)reserve(static_cast<std::uint64_t>(amount), now, true);
    else
        std::visit([&](auto& kind) { kind.correct(kind.level().generation, amount); }, kind_);
}

std::optional<std::uint64_t> Meter::observe(const Hold& hold, Mono sent, std::uint64_t reported) noexcept {
    if (hold.generation == 0) return std::nullopt;
    const std::uint64_t count = std::min(reported, max_count);
    return std::visit([&](auto& kind) { return kind.observe(hold, sent, count); }, kind_);
}

void Meter::resets(Mono sent, Duration wait) noexcept {
    std::visit([&](auto& kind) { kind.resets(sent, wait); }, kind_);
}

void Meter::refused(const Hold& hold, Mono sent, std::optional<Duration> wait,
                    std::optional<std::uint64_t> reported) noexcept {
    if (reported) *reported = std::min(*reported, max_count);
    std::visit([&](auto& kind) { kind.refused(hold, sent, wait, reported); }, kind_);
}

}  // namespace spillway::quota
