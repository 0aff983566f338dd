#include "gateway/backend_modes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "gateway/key_view.hpp"

namespace spillway::gateway {
namespace {

using routing::Mode;

std::optional<Mode> mode_of(std::string_view text) {
    for (const Mode mode : {Mode::on, Mode::draining, Mode::off})
        if (to_string(mode) == text) return mode;
    return std::nullopt;
}

std::string why(const store::ModeRow& row) {
    return fmt::format("set by {} at {}", row.who, time_text(row.since));
}

}  // namespace

void BackendModes::use(std::shared_ptr<const Snapshot> snapshot) {
    const std::lock_guard lock(mutex_);
    snapshot_ = std::move(snapshot);
    for (const auto& [backend, wanted] : wanted_) {
        const auto before = apply(backend, wanted.mode);
        if (before && *before != wanted.mode) say(backend, wanted);
    }
}

std::optional<Mode> BackendModes::tell(const store::ModeRow& row) {
    const auto mode = mode_of(row.mode);
    if (!mode) return std::nullopt;
    const std::lock_guard lock(mutex_);
    auto before = apply(row.backend, *mode);
    if (!before) {
        const auto kept = wanted_.find(row.backend);
        if (kept == wanted_.end() || *mode != Mode::on) return std::nullopt;
        before = kept->second.mode;
    }
    remember(row, *mode);
    return before;
}

void BackendModes::follow(std::span<const store::ModeRow> rows) {
    const std::lock_guard lock(mutex_);
    for (const store::ModeRow& row : rows) {
        const auto mode = mode_of(row.mode);
        if (!mode) {
            log_->warn("backend '{}': the store's mode '{}' ({}) is not known here", row.backend, row.mode,
                       why(row));
            continue;
        }
        const auto before = apply(row.backend, *mode);
        if (before && *before != *mode) say(row.backend, {*mode, why(row)});
        if (!before && *mode != Mode::on)
            log_->info("backend '{}' is not configured here; the store keeps that it is {}: {}", row.backend,
                       to_string(*mode), why(row));
        remember(row, *mode);
    }
}

std::optional<Mode> BackendModes::apply(std::string_view backend, Mode mode) const {
    const auto& all = snapshot_->config.backends;
    const auto at = std::ranges::find(all, backend, &config::BackendConfig::name);
    if (at == all.end()) return std::nullopt;
    return snapshot_->router->set_mode(static_cast<routing::BackendIndex>(at - all.begin()), mode);
}

void BackendModes::remember(const store::ModeRow& row, Mode mode) {
    if (mode == Mode::on)
        wanted_.erase(row.backend);
    else
        wanted_.insert_or_assign(row.backend, Wanted{mode, why(row)});
}

void BackendModes::say(std::string_view backend, const Wanted& wanted) const {
    log_->info("backend '{}' is {}: {}, as the store says", backend, to_string(wanted.mode), wanted.why);
}

}  // namespace spillway::gateway
