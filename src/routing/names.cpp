/// The words that logs, metrics and the admin plane use.
#include "routing/router.hpp"

namespace spillway::routing {

std::string_view to_string(PickReason reason) noexcept {
    switch (reason) {
        case PickReason::preferred:
            return "preferred";
        case PickReason::only_one:
            return "only_one";
        case PickReason::affinity:
            return "affinity";
        case PickReason::pinned:
            return "pinned";
        case PickReason::spilled:
            return "spilled";
        case PickReason::probe:
            return "probe";
        case PickReason::none:
            break;
    }
    return "none";
}

std::string_view to_string(OutcomeKind kind) noexcept {
    switch (kind) {
        case OutcomeKind::served:
            return "served";
        case OutcomeKind::client_error:
            return "client_error";
        case OutcomeKind::throttled:
            return "throttled";
        case OutcomeKind::unauthorized:
            return "unauthorized";
        case OutcomeKind::server_error:
            return "server_error";
        case OutcomeKind::connect_error:
            return "connect_error";
        case OutcomeKind::timeout:
            return "timeout";
        case OutcomeKind::broken:
            return "broken";
        case OutcomeKind::cancelled:
            return "cancelled";
    }
    return "";
}

std::string_view to_string(Mode mode) noexcept {
    switch (mode) {
        case Mode::on:
            return "on";
        case Mode::draining:
            return "draining";
        case Mode::off:
            break;
    }
    return "off";
}

std::string_view to_string(BackendView::State state) noexcept {
    switch (state) {
        case BackendView::State::available:
            return "available";
        case BackendView::State::throttled:
            return "throttled";
        case BackendView::State::failed:
            return "failed";
        case BackendView::State::unauthorized:
            return "unauthorized";
        case BackendView::State::probing:
            return "probing";
        case BackendView::State::draining:
            return "draining";
        case BackendView::State::disabled:
            return "disabled";
    }
    return "";
}

}  // namespace spillway::routing
