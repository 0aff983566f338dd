#include "api/work_state.hpp"

#include <algorithm>
#include <array>

#include "api/json_reader.hpp"

namespace spillway::api {
namespace {

WorkStatus status_of(std::string_view word) noexcept {
    static constexpr std::array<std::string_view, 6> going_on{"queued",     "in_progress", "validating",
                                                              "finalizing", "cancelling",  "requires_action"};
    static constexpr std::array<std::string_view, 5> done{"completed", "incomplete", "cancelled", "canceled",
                                                          "expired"};
    const auto in = [word](const auto& words) {
        return std::find(words.begin(), words.end(), word) != words.end();
    };
    if (in(going_on)) return WorkStatus::under_way;
    if (in(done)) return WorkStatus::over;
    return word == "failed" ? WorkStatus::failed : WorkStatus::other;
}

}  // namespace

WorkState read_work_state(std::string_view json) noexcept {
    WorkState out;
    JsonReader reader(json);
    if (reader.peek() != JsonKind::object) return out;
    const bool whole = reader.object([&](const JsonString& key) {
        const bool is_id = key.raw == "id";
        if ((!is_id && key.raw != "status") || reader.peek() != JsonKind::string) return reader.skip();
        JsonString value;
        if (!reader.string(value)) return false;
        if (is_id)
            out.id = value.raw;
        else
            out.status = status_of(value.raw);
        return true;
    });
    return whole ? out : WorkState{};
}

}  // namespace spillway::api
