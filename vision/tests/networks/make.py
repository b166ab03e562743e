"""Makes the small networks of this folder with PyPI onnx 1.23. They are committed; this says how they came to be."""
from pathlib import Path
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).parent
CLASSES = "soil,weed,sugar_beet,potato,other_crop"

def network(name, weight, classes=CLASSES, channels=5):
    """One convolution that keeps the size."""
    reach = weight.shape[2] // 2
    graph = helper.make_graph(
        [helper.make_node("Conv", ["image", "weight"], ["scores"], pads=[reach] * 4)],
        "test",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, "height", "width"])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", channels, "height", "width"])],
        [numpy_helper.from_array(weight.astype(np.float32), "weight")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if classes:
        helper.set_model_props(model, {"kompas.classes": classes})
    onnx.checker.check_model(model)
    onnx.save(model, HERE / name)

# Red is soil, green weed, blue beet, yellow potato, cyan other crop.
by_colour = np.array([[9, -3, -3], [-3, 9, -3], [-3, -3, 9], [5, 5, -9], [-9, 5, 5]], np.float32)
network("colours.onnx", by_colour[:, :, None, None])
rng = np.random.default_rng(3)
network("smooth.onnx", by_colour[:, :, None, None] * rng.uniform(0, 0.15, (1, 1, 7, 7)))
network("no_classes.onnx", by_colour[:, :, None, None], classes=None)
network("other_order.onnx", by_colour[:, :, None, None], classes="soil,sugar_beet,weed,potato,other_crop")
network("four_classes.onnx", by_colour[:4, :, None, None], channels=4)
network("four_unsaid.onnx", by_colour[:4, :, None, None], channels="classes")
