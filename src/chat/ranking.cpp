#include "chat/ranking.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace spillway::chat {

double cosine(std::span<const float> a, std::span<const float> b) noexcept {
    if (a.size() != b.size()) return 0;
    double dot = 0;
    double aa = 0;
    double bb = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const auto x = static_cast<double>(a[i]);
        const auto y = static_cast<double>(b[i]);
        dot += x * y;
        aa += x * x;
        bb += y * y;
    }
    return aa > 0 && bb > 0 ? dot / std::sqrt(aa * bb) : 0;
}

std::vector<Ranked> fuse(std::span<const Ranking> rankings) {
    constexpr double k = 60;
    std::unordered_map<std::int64_t, double> scores;
    for (const Ranking& ranking : rankings)
        for (std::size_t i = 0; i < ranking.items.size(); ++i)
            scores[ranking.items[i]] += ranking.weight / (k + static_cast<double>(i + 1));
    std::vector<Ranked> out;
    out.reserve(scores.size());
    for (const auto& [item, score] : scores) out.push_back({item, score});
    std::ranges::sort(out, [](const Ranked& a, const Ranked& b) {
        return a.score != b.score ? a.score > b.score : a.item < b.item;
    });
    return out;
}

}  // namespace spillway::chat
