#pragma once
/// Shared by the pages of one run and of two. Internal to the load room. Thread rule: free
/// functions.
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "load/plot.hpp"
#include "load/record.hpp"

namespace spillway::load {

/// The whole page around `body`; `title` is escaped here.
[[nodiscard]] std::string html_page(std::string_view title, std::string_view body);

/// Rows of cells, which are escaped here; the first row is the header. All but the first column are numbers.
[[nodiscard]] std::string html_table(std::string_view title,
                                     const std::vector<std::vector<std::string>>& rows);

/// A plot over time with the x of `run`.
[[nodiscard]] Plot time_plot(const Record& run, std::string title, std::string note);
[[nodiscard]] std::vector<double> column(const Record& run, const std::function<double(const Row&)>& value);
/// Counts of a step as a rate per second.
[[nodiscard]] std::vector<double> rate_column(const Record& run,
                                              const std::function<std::uint64_t(const Row&)>& count);
/// NaN for what was not measured.
[[nodiscard]] double measured(double seconds) noexcept;

/// Requests per second, by backend; the colours go by the backends' names in `order`.
[[nodiscard]] Plot backend_plot(const Record& run, const std::vector<std::string>& order, std::string title);
[[nodiscard]] std::vector<std::string> backend_names(const std::vector<const Record*>& runs);

/// Quantile curves: one line for each histogram.
struct Curved {
    std::string name;
    std::string colour;
    const Histogram* histogram = nullptr;
    bool dashed = false;
};
[[nodiscard]] Plot quantile_plot(std::string title, std::string note, const std::vector<Curved>& curves);

[[nodiscard]] std::string show_share(double share);

}  // namespace spillway::load
