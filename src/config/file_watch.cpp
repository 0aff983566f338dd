#include "config/file_watch.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

namespace spillway::config {

void FileWatch::start(std::vector<Read> files) {
    // Of one that was read twice, the first state counts: if the second is another, that is a change.
    std::stable_sort(files.begin(), files.end(),
                     [](const Read& a, const Read& b) { return a.path < b.path; });
    paths_.clear();
    loaded_.clear();
    for (Read& file : files) {
        if (!paths_.empty() && paths_.back() == file.path) continue;
        paths_.push_back(std::move(file.path));
        loaded_.push_back(std::move(file.state));
    }
    last_ = loaded_;
}

void FileWatch::add(const std::vector<Read>& files) {
    for (const Read& file : files) {
        if (std::find(paths_.begin(), paths_.end(), file.path) != paths_.end()) continue;
        paths_.push_back(file.path);
        loaded_.push_back(of_(file.path));
        last_.push_back(loaded_.back());
    }
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

Sources recorded(Sources sources, std::vector<FileWatch::Read>& files) {
    sources.read_file = [read = std::move(sources.read_file), &files](const std::string& path) {
        files.push_back({path, FileWatch::of_file_system(path)});
        return read(path);
    };
    return sources;
}

}  // namespace spillway::config
