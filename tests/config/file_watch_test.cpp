#include "config/file_watch.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "config/fake_sources.hpp"

namespace spillway::config {
namespace {

TEST(FileWatch, WaitsUntilAChangeStandsStill) {
    std::map<std::string, std::string> files{{"a", "1"}, {"b", "1"}};
    FileWatch watch([&](const std::string& path) { return files[path]; });
    watch.start({{"a", "1"}, {"b", "1"}, {"a", "1"}});
    EXPECT_FALSE(watch.settled_change());
    files["b"] = "2";
    EXPECT_FALSE(watch.settled_change());  // it may be half written
    files["b"] = "3";
    EXPECT_FALSE(watch.settled_change());
    EXPECT_TRUE(watch.settled_change());
    EXPECT_FALSE(watch.settled_change());
    files["a"] = "";  // gone, and back before it was noticed
    EXPECT_FALSE(watch.settled_change());
    files["a"] = "1";
    EXPECT_FALSE(watch.settled_change());
    EXPECT_FALSE(watch.settled_change());
}

TEST(FileWatch, SeesAChangeBetweenReadingAndWatching) {
    std::map<std::string, std::string> files{{"a", "2"}};
    FileWatch watch([&](const std::string& path) { return files[path]; });
    watch.start({{"a", "1"}, {"a", "2"}});  // the first was used
    EXPECT_FALSE(watch.settled_change());
    EXPECT_TRUE(watch.settled_change());
    EXPECT_FALSE(watch.settled_change());
}

TEST(FileWatch, GoesOnAfterAConfigurationThatIsWrong) {
    std::map<std::string, std::string> files{{"certificate", "1"}, {"key", "1"}};
    FileWatch watch([&](const std::string& path) { return files[path]; });
    watch.start({{"certificate", "1"}});
    watch.add({{"key", "0"}, {"certificate", "1"}});
    EXPECT_FALSE(watch.settled_change());
    EXPECT_FALSE(watch.settled_change()) << "what was wrong is not read again until it changes";
    for (const auto* name : {"certificate", "key"}) {
        files[name] = "2";
        EXPECT_FALSE(watch.settled_change());
        EXPECT_TRUE(watch.settled_change()) << name;
    }
}

TEST(FileWatch, SeesALinkThatPointsElsewhere) {
    namespace fs = std::filesystem;
    const fs::path folder = fs::path(testing::TempDir()) / "file-watch";
    fs::remove_all(folder);
    for (const auto* name : {"v1", "v2"}) {
        fs::create_directories(folder / name);
        std::ofstream(folder / name / "gateway.yaml") << "same";
    }
    fs::create_directory_symlink("v1", folder / "..data");
    fs::create_symlink("..data/gateway.yaml", folder / "gateway.yaml");
    FileWatch watch;
    const std::string path = (folder / "gateway.yaml").string();
    watch.start({{path, FileWatch::of_file_system(path)}});
    EXPECT_FALSE(watch.settled_change());
    fs::create_directory_symlink("v2", folder / "..new");
    fs::rename(folder / "..new", folder / "..data");
    EXPECT_FALSE(watch.settled_change());
    EXPECT_TRUE(watch.settled_change());
    fs::remove_all(folder);
}

TEST(Recorded, NotesWhatIsRead) {
    std::vector<FileWatch::Read> files;
    const auto sources = recorded(fake_sources({}, {{"a", "text"}}), files);
    EXPECT_EQ(*sources.read_file("a"), "text");
    EXPECT_FALSE(sources.read_file("b"));
    EXPECT_EQ(files, (std::vector<FileWatch::Read>{{"a", ""}, {"b", ""}}));
}

}  // namespace
}  // namespace spillway::config
