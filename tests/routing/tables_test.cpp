#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "routing/alias_table.hpp"
#include "routing/prefix_table.hpp"

namespace spillway::routing {
namespace {

TEST(AliasTable, DrawsByWeight) {
    const std::vector<std::uint32_t> weights{5, 0, 1, 1'000, 3, 991};
    const AliasTable table(weights);
    Rng rng(3);
    std::vector<int> got(weights.size());
    for (int i = 0; i < 200'000; ++i) ++got[table.draw(rng)];
    for (std::size_t i = 0; i < weights.size(); ++i) EXPECT_NEAR(got[i], weights[i] * 100, 1'200) << i;
    EXPECT_EQ(got[1], 0);
    EXPECT_NEAR(got[0], 500, 120);
}

TEST(AliasTable, EqualOrNoWeightsAreDrawnAlike) {
    for (const std::uint32_t weight : {0U, 1U, 0xffffffffU}) {
        const AliasTable table(std::vector<std::uint32_t>(7, weight));
        Rng rng(4);
        std::vector<int> got(7);
        for (int i = 0; i < 70'000; ++i) ++got[table.draw(rng)];
        for (const int n : got) EXPECT_NEAR(n, 10'000, 500);
    }
    EXPECT_EQ(AliasTable().size(), 0U);
}

std::vector<PrefixTable::Member> members(std::size_t count) {
    std::vector<PrefixTable::Member> out;
    for (std::size_t i = 0; i < count; ++i)
        out.push_back({std::hash<std::string>{}("backend-" + std::to_string(i)),
                       static_cast<std::uint32_t>(1 + i % 2)});
    return out;
}

TEST(PrefixTable, SharesByWeight) {
    const PrefixTable table(members(30));
    std::vector<int> got(30);
    for (std::uint64_t a = 1; a <= 450'000; ++a) ++got[table.holder(a, 0)];
    for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], i % 2 == 0 ? 10'000 : 20'000, 600);
}

TEST(PrefixTable, FewMoveWhenOneComesOrGoesWhereverItIsInTheConfiguration) {
    constexpr std::uint64_t prefixes = 100'000;
    const auto all = members(300);
    auto fewer = all;
    fewer.erase(fewer.begin() + 100);
    const PrefixTable before(all);
    const PrefixTable after(fewer);
    int of_the_one = 0;
    int moved = 0;
    for (std::uint64_t a = 1; a <= prefixes; ++a) {
        const auto was = before.holder(a, 0);
        of_the_one += was == 100 ? 1 : 0;
        moved += was != 100 && all[was].hash != fewer[after.holder(a, 0)].hash ? 1 : 0;
    }
    EXPECT_NEAR(of_the_one, prefixes / 450.0, 60);
    EXPECT_LT(moved, static_cast<int>(prefixes / 100)) << "of others";
}

TEST(PrefixTable, HeirsAreSpread) {
    const PrefixTable table(members(30));
    std::vector<int> heirs(30);
    for (std::uint64_t a = 1; a <= 100'000; ++a)
        if (table.holder(a, 0) == 5) ++heirs[table.holder(a, 1)];
    int most = 0;
    int total = 0;
    for (const int n : heirs) {
        most = std::max(most, n);
        total += n;
    }
    EXPECT_LT(most, total / 10);
}

TEST(PrefixTable, ManyMembersAllHoldSomething) {
    const PrefixTable table(members(3000));
    std::vector<int> got(3000);
    for (std::uint64_t a = 1; a <= 900'000; ++a) ++got[table.holder(a, 0)];
    for (const int n : got) EXPECT_GT(n, 80);
}

}  // namespace
}  // namespace spillway::routing
