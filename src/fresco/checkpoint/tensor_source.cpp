#include "fresco/checkpoint/tensor_source.h"
