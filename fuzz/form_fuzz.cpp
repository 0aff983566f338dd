// Uploads: the fields of a multipart form. The first line is the content type, the rest the body: what is
// found lies in the body, and does not hold the boundary.
#include <algorithm>
#include <string_view>

#include "api/form.hpp"
#include "check.hpp"

using namespace spillway;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::as_text(data, size);
    const auto line = std::min(text.find('\n'), text.size());
    const std::string_view type = text.substr(0, line);
    const std::string_view body = text.substr(std::min(line + 1, text.size()));
    for (const std::string_view name : {"model", "prompt", "file", ""}) {
        const auto found = api::find_form_field(body, type, name);
        if (!found) continue;
        SPILLWAY_EXPECT(found->offset <= body.size() && found->length <= body.size() - found->offset);
        const std::string_view value = body.substr(found->offset, found->length);
        if (const auto at = type.find("boundary=xyz"); at != std::string_view::npos && at + 12 == type.size())
            SPILLWAY_EXPECT(value.find("\r\n--xyz") == std::string_view::npos);
    }
    return 0;
}
