#include "config/problem.hpp"

#include <fmt/format.h>

#include <numeric>

#include "base/strings.hpp"

namespace spillway::config {
namespace {

constexpr std::size_t kMaxCompared = 64;

/// The same up to case and the kind of dash: `maxBodyBytes` stays different, `Max-Body-Bytes` does not.
char folded(char c) noexcept {
    return c == '-' ? '_' : ascii_lower(c);
}

/// Edits (insert, delete, replace, swap of neighbours) from a to b: optimal string alignment.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1);
    std::vector<std::size_t> last(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(last.begin(), last.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = folded(a[i - 1]) == folded(b[j - 1]) ? 0 : 1;
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change});
            if (i > 1 && j > 1 && folded(a[i - 1]) == folded(b[j - 2]) &&
                folded(a[i - 2]) == folded(b[j - 1]))
                row[j] = std::min(row[j], before[j - 2] + 1);
        }
        std::swap(before, last);
        std::swap(last, row);
    }
    return last[b.size()];
}

}  // namespace

std::string Problem::to_string() const {
    std::string out;
    if (!file.empty()) {
        out += file;
        if (line > 0) out += fmt::format(":{}:{}", line, column);
        out += ": ";
    }
    if (!key.empty()) out += key + ": ";
    if (severity == Severity::warning) out += "warning: ";
    return out + message;
}

std::string to_string(std::span<const Problem> problems) {
    std::string out;
    for (const auto& p : problems) out += p.to_string() + '\n';
    return out;
}

std::string_view nearest(std::string_view name, std::span<const std::string_view> known) {
    if (name.size() > kMaxCompared) return {};
    std::string_view best;
    std::size_t best_distance = std::max<std::size_t>(1, name.size() / 3) + 1;
    for (const auto candidate : known) {
        const auto d = distance(name, candidate);
        if (d < best_distance) best = candidate, best_distance = d;
    }
    return best;
}

std::string did_you_mean(std::string_view name, std::span<const std::string_view> known,
                         std::string_view before) {
    const std::string_view near = nearest(name, known);
    return near.empty() ? std::string() : fmt::format("; did you mean {}{}?", before, near);
}

}  // namespace spillway::config
