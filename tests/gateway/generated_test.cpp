// Files that are made from tables in the program are as it would make them now: scripts/generate makes them.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "gateway/admin_schema.hpp"

namespace spillway::gateway {
namespace {

void expect_made(const std::string& name, const std::string& wanted) {
    const std::string path = std::string(SPILLWAY_SOURCE_DIR) + "/" + name;
    if (std::getenv("SPILLWAY_GENERATE") != nullptr) std::ofstream(path) << wanted;
    std::ostringstream found;
    found << std::ifstream(path).rdbuf();
    EXPECT_EQ(found.str(), wanted) << name << " is not as scripts/generate makes it";
}

TEST(Generated, TheDashboardsTypes) {
    expect_made("web/dashboard/src/admin.ts", schema::typescript());
}

}  // namespace
}  // namespace spillway::gateway
