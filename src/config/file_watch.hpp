#pragma once
/// Detects whether files have changed since they were loaded, by inode, size and time; also when a symbolic
/// link on the way points elsewhere, which is how Kubernetes replaces a ConfigMap's files.
///
/// It polls, since inotify is silent on network and overlay file systems.
/// Thread rule: used by one thread. Errors: none; a missing file is a state like any other.
#include <compare>
#include <functional>
#include <string>
#include <vector>

#include "config/sources.hpp"

namespace spillway::config {

class FileWatch {
public:
    /// Identifies a file's present state; the same until the file changes. Missing files have one, too.
    using Fingerprint = std::function<std::string(const std::string& path)>;

    explicit FileWatch(Fingerprint of = of_file_system) : of_(std::move(of)) {}

    /// A file, and its state before it was read.
    struct Read {
        std::string path;
        std::string state;
        friend auto operator<=>(const Read&, const Read&) = default;
    };
    /// Watches these files from now on, from the state in which they were read.
    void start(std::vector<Read> files);
    /// Watches these, too, from their present state: what was read of them is of no use.
    void add(const std::vector<Read>& files);
    /// True once for each change, once the files have stayed the same since it was noticed, so that a file
    /// still being written is not read half.
    [[nodiscard]] bool settled_change();

    [[nodiscard]] static std::string of_file_system(const std::string& path);

private:
    [[nodiscard]] std::vector<std::string> look() const;

    Fingerprint of_;
    std::vector<std::string> paths_;
    std::vector<std::string> loaded_;  ///< as they were at start()
    std::vector<std::string> last_;    ///< as they were at the last look
};

/// `sources`, which also adds each file that is read through it to `files`; `files` must outlive it.
[[nodiscard]] Sources recorded(Sources sources, std::vector<FileWatch::Read>& files);

}  // namespace spillway::config
