#pragma once
/// Whether files changed since they were loaded, by their inode, size and time: also when a symbolic link on
/// the way points elsewhere, as Kubernetes swaps a ConfigMap's files.
///
/// It is asked from time to time, not notified: inotify says nothing on network and overlay file systems.
/// Thread rule: a value; used by one thread.
#include <functional>
#include <string>
#include <vector>

#include "config/sources.hpp"

namespace spillway::config {

class FileWatch {
public:
    /// What a file is now; the same as long as it is not changed. Files that are not there have one, too.
    using Fingerprint = std::function<std::string(const std::string& path)>;

    explicit FileWatch(Fingerprint of = of_file_system) : of_(std::move(of)) {}

    /// From now on these files are watched, as they are now.
    void start(std::vector<std::string> paths);
    /// True once for each change, when the files have stood still since it was first seen: a file that is
    /// being written is not read by half.
    [[nodiscard]] bool settled_change();

    [[nodiscard]] static std::string of_file_system(const std::string& path);

private:
    [[nodiscard]] std::vector<std::string> look() const;

    Fingerprint of_;
    std::vector<std::string> paths_;
    std::vector<std::string> loaded_;  ///< as they were at start()
    std::vector<std::string> last_;    ///< as they were when it was asked last
};

/// `sources` with a note of each file that is read through it, in `paths`, which must outlive it.
[[nodiscard]] Sources recorded(Sources sources, std::vector<std::string>& paths);

}  // namespace spillway::config
