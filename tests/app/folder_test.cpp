#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "app/stack_folder.hpp"

namespace spillway::app::stack {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class FolderTest : public testing::Test {
protected:
    FolderTest() {
        std::string name = (fs::temp_directory_path() / "spillway-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
        root_ = name;
    }
    ~FolderTest() override {
        std::error_code ec;
        fs::remove_all(root_, ec);
    }
    [[nodiscard]] Folder folder() const {
        return Folder::locate("local",
                              [this](std::string_view name) -> std::optional<std::string> {
                                  if (name == "XDG_STATE_HOME") return (root_ / "state").string();
                                  return std::nullopt;
                              })
            .value();
    }
    static unsigned mode(const fs::path& path) {
        struct stat s {};
        return ::stat(path.c_str(), &s) == 0 ? s.st_mode & 0777U : 0U;
    }
    fs::path root_;
};

std::optional<std::string> only_home(std::string_view name) {
    if (name == "HOME") return "/house";
    if (name == "XDG_STATE_HOME") return "relative/is/ignored";
    return std::nullopt;
}

TEST_F(FolderTest, IsWhereTheSpecificationSays) {
    EXPECT_EQ(folder().path(), root_ / "state/spillway/local");
    EXPECT_EQ(Folder::locate("other", only_home).value().path(), "/house/.local/state/spillway/other");
}

TEST_F(FolderTest, IsForItsOwnerAlone) {
    const Folder f = folder();
    EXPECT_FALSE(f.exists());
    ASSERT_TRUE(f.create());
    ASSERT_TRUE(f.create());
    EXPECT_TRUE(f.exists());
    EXPECT_EQ(mode(f.path()), 0700U);
    EXPECT_EQ(mode(root_ / "state"), 0700U);
    ::umask(0);
    ASSERT_TRUE(f.write("a", "secret"));
    ::umask(022);
    EXPECT_EQ(mode(f.path() / "a"), 0600U);
}

TEST_F(FolderTest, ReplacesFilesWhole) {
    const Folder f = folder();
    ASSERT_TRUE(f.create());
    EXPECT_EQ(f.read("a").value(), std::nullopt);
    ASSERT_TRUE(f.write("a", "one, which is longer"));
    fs::permissions(f.path() / "a", fs::perms::all);  // was made by someone careless
    ASSERT_TRUE(f.write("a", "two"));
    EXPECT_EQ(f.read("a").value(), "two");
    EXPECT_EQ(mode(f.path() / "a"), 0600U);
    f.erase("a");
    f.erase("a");
    EXPECT_EQ(f.read("a").value(), std::nullopt);
}

TEST_F(FolderTest, SaysWhichFileHasABadLine) {
    const Folder f = folder();
    ASSERT_TRUE(f.create());
    ASSERT_TRUE(f.write(".env", "A=1\nbad\n"));
    EXPECT_THAT(f.read_values(".env").error().message, HasSubstr("local/.env: line 2"));
}

TEST_F(FolderTest, LocksOutOthers) {
    const Folder f = folder();
    ASSERT_TRUE(f.create());
    int holder = 0;
    {
        const auto first = f.lock(std::chrono::milliseconds(0), {});
        ASSERT_TRUE(first);
        const auto second = f.lock(std::chrono::milliseconds(0), [&](int pid) { holder = pid; });
        ASSERT_FALSE(second.has_value());
        EXPECT_EQ(holder, ::getpid());
        EXPECT_THAT(second.error().message, HasSubstr(std::to_string(::getpid())));
    }
    EXPECT_TRUE(f.lock(std::chrono::milliseconds(0), {}));
}

TEST_F(FolderTest, ALockOfARemovedFolderIsNoLock) {
    const Folder f = folder();
    ASSERT_TRUE(f.create());
    // The one who waits has the old lock file open when the folder goes.
    std::optional<Lock> first;
    first.emplace(f.lock(std::chrono::milliseconds(0), {}).value());
    const auto second = f.lock(std::chrono::seconds(5), [&](int) {
        ASSERT_TRUE(f.remove());
        first.reset();
    });
    ASSERT_FALSE(second.has_value());
    EXPECT_THAT(second.error().message, HasSubstr("removed"));
}

TEST_F(FolderTest, ErrorsNameThePath) {
    std::ofstream(root_ / "state") << "a file is in the way";
    const auto made = folder().create();
    ASSERT_FALSE(made.has_value());
    EXPECT_THAT(made.error().message, HasSubstr((root_ / "state").string()));
}

}  // namespace
}  // namespace spillway::app::stack
