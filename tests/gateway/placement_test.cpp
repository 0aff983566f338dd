#include "gateway/placement.hpp"

#include <set>

#include "station_fixture.hpp"

namespace spillway::gateway {
namespace {

struct Places : Station {
    using Station::Station;

    Placement decide(std::vector<std::string> ids, std::vector<std::optional<store::ObjectPlace>> known,
                     std::string_view key = "web-key-0000000001") {
        (void)ask(head_of("POST", "/v1/responses"), R"({"model":"gpt-4o"})", key);
        return decide_place(*snapshot, asked, ids, known);
    }
    [[nodiscard]] store::ObjectPlace at(std::size_t backend, std::string_view client) const {
        return {snapshot->resources[backend], client.empty() ? 0 : store::hash_owner(client, {})};
    }
};

TEST(Placement, SendsARequestWhereItsThingsAre) {
    Places p;
    EXPECT_TRUE(p.snapshot->isolated) << "two clients";
    const Placement own = p.decide({"file-1"}, {p.at(1, "web")});
    EXPECT_FALSE(own.refusal);
    EXPECT_EQ(own.pinned, 1U);
    EXPECT_TRUE(own.own);
    const Placement unknown = p.decide({"file-1"}, {std::nullopt});
    EXPECT_FALSE(unknown.refusal);
    EXPECT_FALSE(unknown.pinned);
    EXPECT_FALSE(unknown.own);
    const Placement nobodys = p.decide({"file-1"}, {p.at(0, "")});
    EXPECT_EQ(nobodys.pinned, 0U);
    EXPECT_FALSE(nobodys.own);
}

TEST(Placement, AnothersThingsAreNotThere) {
    Places p;
    const Placement file = p.decide({"file-1", "file-2"}, {p.at(1, "web"), p.at(0, "bound")});
    ASSERT_TRUE(file.refusal);
    EXPECT_EQ(file.refusal->status, 404U);
    EXPECT_EQ(file.refusal->message, "No such File object: file-2") << "not where it is";
    const Placement response = p.decide({"resp_1"}, {p.at(1, "bound")});
    EXPECT_EQ(response.refusal->code, "previous_response_not_found");
    Places shared("tenancy: shared\n");
    EXPECT_FALSE(shared.decide({"file-1"}, {shared.at(0, "bound")}).refusal);
}

TEST(Placement, SaysWhichLiesWhere) {
    Places p;
    const Placement two = p.decide({"file-1", "vs_1"}, {p.at(0, "web"), p.at(1, "web")});
    ASSERT_TRUE(two.refusal);
    EXPECT_EQ(two.refusal->status, 400U);
    EXPECT_EQ(two.refusal->code, "things_on_different_resources");
    EXPECT_NE(two.refusal->message.find("file-1 is kept by the resource 'one' and vs_1 by 'two'"),
              std::string::npos)
        << two.refusal->message;
}

TEST(Placement, WhatAClientMakesMeets) {
    Places p;
    const auto& resources = p.snapshot->resources;
    const std::vector<store::ResourceNumber> there{resources[1]};
    EXPECT_EQ(home_of(*p.snapshot, there, 7), 1U);
    const std::vector<store::ResourceNumber> gone{999};
    const auto chosen = home_of(*p.snapshot, gone, 7);
    ASSERT_TRUE(chosen);
    EXPECT_EQ(home_of(*p.snapshot, {}, 7), chosen) << "the same each time";
    std::set<routing::BackendIndex> homes;
    for (store::OwnerHash owner = 1; owner < 64; ++owner) homes.insert(*home_of(*p.snapshot, {}, owner));
    EXPECT_EQ(homes.size(), 2U) << "clients are spread";
}

TEST(Placement, KnowsResourcesByTheirAddress) {
    config::GatewayConfig config;
    const auto add = [&](std::string_view name, std::string_view host, std::string_view path,
                         config::BackendKind kind) {
        config::BackendConfig& b = config.backends.emplace_back();
        b.name = name;
        b.url.host = host;
        b.url.base_path = path;
        b.kind = kind;
    };
    using enum config::BackendKind;
    add("ptu", "one.example", "", azure);
    add("payg", "one.example", "/openai/v1", azure);
    add("p1", "api.example", "/v1", openai);
    add("p2", "api.example", "/v1", openai);
    EXPECT_EQ(resource_name(config, 0), resource_name(config, 1));
    EXPECT_NE(resource_name(config, 2), resource_name(config, 3)) << "projects of one provider";
}

}  // namespace
}  // namespace spillway::gateway
