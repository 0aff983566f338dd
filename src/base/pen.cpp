#include "base/pen.hpp"

namespace spillway {

void Pen::grow(std::size_t bytes) {
    const std::size_t before = written();
    out_.resize(before + bytes);
    out_.resize(out_.capacity());
    at_ = out_.data() + before;
    end_ = out_.data() + out_.size();
}

}  // namespace spillway
