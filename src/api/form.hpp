#pragma once
/// Finds one field of a multipart form (RFC 7578, RFC 2046 §5.1) without copying, whatever files precede
/// it.
/// Ownership: views of the body. Thread rule: free functions. Errors: none; a form that cannot be parsed has
/// no field.
#include <optional>
#include <string_view>

#include "api/request_scan.hpp"

namespace spillway::api {

/// A value's place in a body.
struct FormField : Span {
    bool repeated = false;  ///< there are others of its name
};

/// The field `name`, if the form has one that is not a file; of several, the last.
[[nodiscard]] std::optional<FormField> find_form_field(std::string_view body, std::string_view content_type,
                                                       std::string_view name);

}  // namespace spillway::api
