using Llama3Perf.Models.Onnx;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Llama3Perf.Inference.Engines.Ort;

/// <summary>
/// Carries tensors between the host and the device that a model runs on, by running graphs of one Identity node there: the one way
/// that every execution provider has. ONNX Runtime's allocators give device memory as they find it, and its copy of tensors knows no
/// DirectML.
/// </summary>
internal sealed class DeviceCopy(Func<byte[], InferenceSession> open) : IDisposable
{
    private readonly Dictionary<(TensorElementType Type, int Rank), InferenceSession> _sessions = [];
    private readonly RunOptions _runOptions = new();

    /// <summary>Fills a tensor in device memory with zeros.</summary>
    /// <exception cref="OnnxRuntimeException">The device does not do it.</exception>
    public void Clear(OrtValue target)
    {
        OrtTensorTypeAndShapeInfo info = target.GetTensorTypeAndShape();
        using OrtValue zeros = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, info.ElementDataType, info.Shape);
        zeros.GetTensorMutableRawData().Clear();
        Copy(zeros, target);
    }

    /// <summary>Copies once.</summary>
    public void Copy(OrtValue source, OrtValue target)
    {
        using Bound copy = Bind(source, target);
        copy.Run();
    }

    /// <summary>A copy that is made again and again; a source on the host is read when it is bound, one on the device at each
    /// run.</summary>
    public Bound Bind(OrtValue source, OrtValue target)
    {
        OrtTensorTypeAndShapeInfo info = target.GetTensorTypeAndShape();
        (TensorElementType, int) key = (info.ElementDataType, info.Shape.Length);
        if (!_sessions.TryGetValue(key, out InferenceSession? session))
        {
            session = open(IdentityGraph.Create((int)info.ElementDataType, info.Shape.Length));
            _sessions.Add(key, session);
        }

        OrtIoBinding binding = session.CreateIoBinding();
        binding.BindInput(IdentityGraph.Input, source);
        binding.SynchronizeBoundInputs();
        binding.BindOutput(IdentityGraph.Output, target);
        return new Bound(session, binding, _runOptions);
    }

    public void Dispose()
    {
        foreach (InferenceSession session in _sessions.Values)
        {
            session.Dispose();
        }

        _runOptions.Dispose();
    }

    /// <summary>A source and a target that stay.</summary>
    internal sealed class Bound(InferenceSession session, OrtIoBinding binding, RunOptions options) : IDisposable
    {
        public void Run()
        {
            session.RunWithBinding(options, binding);
            binding.SynchronizeBoundOutputs();
        }

        public void Dispose() => binding.Dispose();
    }
}
