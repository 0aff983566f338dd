#include "config/file_watch.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

namespace spillway::config {

void FileWatch::start(std::vector<std::string> paths) {
    paths_ = std::move(paths);
    std::sort(paths_.begin(), paths_.end());
    paths_.erase(std::unique(paths_.begin(), paths_.end()), paths_.end());
    loaded_ = last_ = look();
}

bool FileWatch::settled_change() {
    auto now = look();
    const bool still = now == last_;
    last_ = std::move(now);
    if (!still || last_ == loaded_) return false;
    loaded_ = last_;
    return true;
}

std::vector<std::string> FileWatch::look() const {
    std::vector<std::string> out;
    out.reserve(paths_.size());
    for (const auto& path : paths_) out.push_back(of_(path));
    return out;
}

std::string FileWatch::of_file_system(const std::string& path) {
    struct stat now {};
    if (::stat(path.c_str(), &now) != 0) return {};
    return fmt::format("{}:{}:{}:{}.{}", now.st_dev, now.st_ino, now.st_size, now.st_mtim.tv_sec,
                       now.st_mtim.tv_nsec);
}

Sources recorded(Sources sources, std::vector<std::string>& paths) {
    sources.read_file = [read = std::move(sources.read_file), &paths](const std::string& path) {
        paths.push_back(path);
        return read(path);
    };
    return sources;
}

}  // namespace spillway::config
