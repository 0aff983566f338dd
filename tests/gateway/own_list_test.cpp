#include "gateway/own_list.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace spillway::gateway {
namespace {

using Ids = std::vector<std::string>;

/// A resource that pages as the API does.
struct Resource {
    Ids ids;
    int asked = 0;

    std::string answer(const std::string& query) {
        ++asked;
        const auto value = [&](const std::string& name) {
            const auto at = ("&" + query).find("&" + name + "=");
            if (at == std::string::npos) return std::string();
            const std::string rest = query.substr(at + name.size() + 1);
            return rest.substr(0, rest.find('&'));
        };
        const std::string limit = value("limit");
        const std::size_t most = limit.empty() ? 3 : std::stoul(limit);
        std::size_t from = 0;
        std::size_t to = ids.size();
        if (const auto after = value("after"); !after.empty())
            from = static_cast<std::size_t>(std::ranges::find(ids, after) - ids.begin()) + 1;
        bool more = to - from > most;
        if (const auto before = value("before"); !before.empty()) {
            to = static_cast<std::size_t>(std::ranges::find(ids, before) - ids.begin());
            more = to > most;
            from = more ? to - most : 0;
        } else if (more) {
            to = from + most;
        }
        std::string out = R"({"object":"list","data":[)";
        for (std::size_t i = from; i < to; ++i)
            out += (i == from ? "" : ",") + std::string(R"({"id":")") + ids[i] + R"(","n": [1]})";
        return out + R"(],"first_id":"x","last_id":"y","has_more":)" + (more ? "true}" : "false}");
    }
};

struct Shown {
    Ids ids;
    bool more = false;
    std::string json;
};

Shown shown(const OwnList& list) {
    Shown out;
    out.json = list.result();
    for (auto at = out.json.find(R"("id":")"); at != std::string::npos;
         at = out.json.find(R"("id":")", at + 1))
        out.ids.push_back(out.json.substr(at + 6, out.json.find('"', at + 6) - at - 6));
    out.more = out.json.find(R"("has_more":true)") != std::string::npos;
    return out;
}

/// Asks until it is whole; what begins with `mine` is the client's.
Shown run(std::vector<Resource>& resources, std::string_view query, char mine = 'a',
          std::optional<routing::BackendIndex> at = std::nullopt) {
    std::vector<routing::BackendIndex> places;
    for (routing::BackendIndex i = 0; i < resources.size(); ++i) places.push_back(i);
    OwnList list(query, places, at, true);
    while (list.wants_page()) {
        list.page(resources[list.backend()].answer(list.query()));
        std::vector<char> keep;
        for (const std::string& id : list.ids()) keep.push_back(id.front() == mine ? 1 : 0);
        list.keep(keep);
    }
    return shown(list);
}

TEST(OwnList, LeavesOutWhatIsOthers) {
    std::vector<Resource> one{{{"a1", "b1", "b2", "a2", "b3", "b4", "b5", "a3", "b6"}}};
    const Shown all = run(one, "");
    EXPECT_EQ(all.ids, (Ids{"a1", "a2", "a3"}));
    EXPECT_FALSE(all.more);
    EXPECT_NE(all.json.find(R"("first_id":"a1","last_id":"a3")"), std::string::npos) << all.json;
    EXPECT_NE(all.json.find(R"({"id":"a1","n": [1]})"), std::string::npos) << "as it came";
    const Shown nothing = run(one, "", 'c');
    EXPECT_TRUE(nothing.ids.empty());
    EXPECT_NE(nothing.json.find(R"("first_id":null,"last_id":null)"), std::string::npos) << nothing.json;
}

TEST(OwnList, PagesAreFullAndMoreIsTrue) {
    for (const std::size_t limit : {1U, 2U, 3U, 50U, 150U}) {
        std::vector<Resource> one(1);
        Ids mine;
        for (int i = 0; i < 400; ++i) {
            one[0].ids.push_back((i % 3 == 0 ? "a" : "b") + std::to_string(i));
            if (i % 3 == 0) mine.push_back(one[0].ids.back());
        }
        Ids seen;
        std::string after;
        for (;;) {
            const Shown page =
                run(one, "limit=" + std::to_string(limit) + (after.empty() ? "" : "&after=" + after));
            seen.insert(seen.end(), page.ids.begin(), page.ids.end());
            if (!page.more) break;
            ASSERT_EQ(page.ids.size(), limit);
            after = page.ids.back();
        }
        EXPECT_EQ(seen, mine) << limit;
    }
}

TEST(OwnList, OneResourceFollowsAnother) {
    std::vector<Resource> three{{{"b1", "b2"}}, {{"a1", "a2"}}, {{"a3", "b3", "a4", "b4", "a5"}}};
    EXPECT_EQ(run(three, "").ids, (Ids{"a1", "a2", "a3", "a4", "a5"}));
    const Shown first = run(three, "limit=3");
    EXPECT_EQ(first.ids, (Ids{"a1", "a2", "a3"}));
    EXPECT_TRUE(first.more);
    const Shown rest = run(three, "limit=3&after=a3", 'a', 2);
    EXPECT_EQ(rest.ids, (Ids{"a4", "a5"}));
    EXPECT_FALSE(rest.more);
}

TEST(OwnList, GoesBackwards) {
    std::vector<Resource> one{{{"a1", "b1", "a2", "b2", "a3", "b3", "a4"}}};
    const Shown page = run(one, "limit=2&before=a4", 'a', 0);
    EXPECT_EQ(page.ids, (Ids{"a2", "a3"}));
    EXPECT_TRUE(page.more);
}

TEST(OwnList, KeepsTheRestOfTheQuery) {
    OwnList list("api-version=v&purpose=batch&limit=5&after=file-1&order=asc", {0}, std::nullopt, true);
    EXPECT_EQ(list.query(), "api-version=v&purpose=batch&order=asc&limit=100&after=file-1");
    OwnList all("limit=5", {0}, std::nullopt, false);
    EXPECT_EQ(all.query(), "limit=5");
}

TEST(OwnList, EndsWithABackendThatKnowsNoCursors) {
    OwnList list("limit=2&after=a2", {0}, std::nullopt, true);
    list.page(R"({"data":[{"id":"a1"},{"id":"a2"},{"id":"a3"}],"has_more":true})");
    EXPECT_EQ(list.ids(), Ids{"a3"});
    list.keep(std::vector<char>{1});
    EXPECT_FALSE(list.wants_page());
    EXPECT_EQ(list.result(), R"({"data":[{"id":"a3"}],"has_more":false})");
}

TEST(OwnList, PassesOnWhatIsNoList) {
    OwnList list("", {0, 1}, std::nullopt, true);
    list.page(R"({"status":"ok"})");
    EXPECT_FALSE(list.wants_page());
    EXPECT_EQ(list.result(), R"({"status":"ok"})");
}

TEST(OwnList, AResourceWithoutTheListDoesNotMatter) {
    OwnList list("", {0, 1}, std::nullopt, true);
    EXPECT_TRUE(list.has_more_places());
    list.skip();
    EXPECT_FALSE(list.has_more_places());
    list.page(R"({"object":"list","data":[{"id":"a1"}]})");
    list.keep(std::vector<char>{1});
    EXPECT_EQ(list.result(), R"({"object":"list","data":[{"id":"a1"}]})");
}

}  // namespace
}  // namespace spillway::gateway
