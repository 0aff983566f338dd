#include "gateway/ending.hpp"

namespace spillway::gateway {

std::string_view to_string(Ending ending) noexcept {
    switch (ending) {
        case Ending::ok:
            return "ok";
        case Ending::unauthorized:
            return "unauthorized";
        case Ending::refused:
            return "refused";
        case Ending::limited:
            return "limited";
        case Ending::out_of_quota:
            return "out_of_quota";
        case Ending::no_backend:
            return "no_backend";
        case Ending::client_error:
            return "client_error";
        case Ending::client_left:
            return "client_left";
        case Ending::timeout:
            return "timeout";
        case Ending::answer_cut:
            return "answer_cut";
        case Ending::stream_cut:
            return "stream_cut";
        case Ending::shutdown:
            return "shutdown";
        case Ending::stream_error:
            break;
    }
    return "stream_error";
}

}  // namespace spillway::gateway
