#pragma once
/// A run, or two beside each other, as one HTML page that needs nothing but itself: no script, no font and no
/// picture from elsewhere, light or dark as the reader's system is. Ownership: values. Thread rule: free
/// functions.
#include <string>

#include "load/record.hpp"

namespace spillway::load {

[[nodiscard]] std::string html_report(const Record& run);
/// `before` is what `after` is measured against.
[[nodiscard]] std::string html_comparison(const Record& before, const Record& after);

/// The same figures for a terminal.
[[nodiscard]] std::string text_report(const Record& run);

}  // namespace spillway::load
