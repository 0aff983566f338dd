#include "base/path_segment.hpp"

#include <gtest/gtest.h>

namespace spillway {
namespace {

TEST(PathSegment, EncodesWhatIsNotUnreserved) {
    EXPECT_EQ(path_segment("gpt-4o_mini.v1~"), "gpt-4o_mini.v1~");
    EXPECT_EQ(path_segment("a/b?c d%"), "a%2Fb%3Fc%20d%25");
    EXPECT_EQ(path_segment("한"), "%ED%95%9C");
    EXPECT_EQ(path_segment(""), "");
}

}  // namespace
}  // namespace spillway
