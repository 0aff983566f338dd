/// The words that logs, metrics and the admin plane use.
#include "routing/backend_view.hpp"
#include "routing/choice.hpp"

namespace spillway::routing {

std::string_view to_string(Cause cause) noexcept {
    switch (cause) {
        case Cause::none:
            return "none";
        case Cause::quota:
            return "quota";
        case Cause::failures:
            return "failures";
        case Cause::out_of_rotation:
            return "out_of_rotation";
        case Cause::not_served:
            return "not_served";
        case Cause::busy:
            return "busy";
        case Cause::too_large:
            return "too_large";
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
