#pragma once
/// One run, or a comparison of two, as a self-contained HTML page: no script, and no fonts or pictures from
/// elsewhere; light or dark like the reader's system. Ownership: values. Thread rule: free
/// functions.
#include <string>

#include "load/record.hpp"

namespace spillway::load {

[[nodiscard]] std::string html_report(const Record& run);
/// Compares `after` with `before`.
[[nodiscard]] std::string html_comparison(const Record& before, const Record& after);
/// `{"before": name, "after": name, "figures": [{"name", "before", "after", "difference", "interval",
/// "noise"}]}`; differences are shares of `before`, null where there is none; `noise` is true where chance
/// may be all of it.
[[nodiscard]] std::string json_comparison(const Record& before, const Record& after);

/// The same figures for a terminal.
[[nodiscard]] std::string text_report(const Record& run);

}  // namespace spillway::load
