#pragma once
/// Finds one field of a multipart form (RFC 7578, RFC 2046 §5.1) without copying, whatever files precede
/// it.
/// Ownership: views of the body. Thread rule: free functions. Errors: none; a form that cannot be parsed has
/// no field.
#include <optional>
#include <string_view>

#include "api/request_scan.hpp"

namespace spillway::api {

/// The value's place in `body`, if the form has a field `name` that is not a file; of several, the last.
[[nodiscard]] std::optional<Span> find_form_field(std::string_view body, std::string_view content_type,
                                                  std::string_view name);

/// How many such fields there are.
[[nodiscard]] std::size_t count_form_fields(std::string_view body, std::string_view content_type,
                                            std::string_view name);

}  // namespace spillway::api
