using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Llama3Perf.Inference.Engines.Ort;

/// <summary>The first elements of a buffer in CPU memory under a shape of their own.</summary>
internal static class TensorView
{
    /// <param name="buffer">Owns the memory, and must outlive the view.</param>
    /// <param name="type">Type of the elements.</param>
    /// <param name="shape">Shape of the view.</param>
    /// <param name="bytes">Bytes that the view takes of the buffer.</param>
    public static unsafe OrtValue Of(OrtValue buffer, TensorElementType type, long[] shape, long bytes) =>
        OrtValue.CreateTensorValueWithData(
            OrtMemoryInfo.DefaultInstance,
            type,
            shape,
            (nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(buffer.GetTensorMutableRawData())),
            bytes
        );
}
