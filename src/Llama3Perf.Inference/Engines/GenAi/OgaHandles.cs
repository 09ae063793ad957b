using System.Runtime.InteropServices;

namespace Llama3Perf.Inference.Engines.GenAi;

/// <summary>An object of the native library. It holds a reference on the objects that it was made from, so that these are never destroyed
/// first.</summary>
internal abstract class OgaHandle() : SafeHandle(0, ownsHandle: true)
{
    private static int s_created;
    private static int s_live;
    private OgaHandle[] _parents = [];

    /// <summary>Native objects that were ever made in this process.</summary>
    public static int CreatedCount => s_created;

    /// <summary>Native objects that exist at this moment.</summary>
    public static int LiveCount => s_live;

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>Takes the references on what this object was made from; once, right after the native call that made it.</summary>
    protected void Own(params OgaHandle[] parents)
    {
        Interlocked.Increment(ref s_created);
        Interlocked.Increment(ref s_live);
        foreach (OgaHandle parent in parents)
        {
            bool added = false;
            parent.DangerousAddRef(ref added);
        }

        _parents = parents;
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        Destroy(handle);
        Interlocked.Decrement(ref s_live);
        foreach (OgaHandle parent in _parents)
        {
            parent.DangerousRelease();
        }

        return true;
    }

    protected abstract void Destroy(nint native);
}

/// <summary>A folder's genai_config.json with what was laid over it.</summary>
internal sealed class OgaConfig : OgaHandle
{
    /// <summary>Reads <c>genai_config.json</c> of a folder.</summary>
    public static OgaConfig Create(string folder)
    {
        Oga.Check(Oga.OgaCreateConfig(folder, out OgaConfig config));
        config.Own();
        return config;
    }

    protected override void Destroy(nint native) => Oga.OgaDestroyConfig(native);
}

/// <summary>A loaded model. It has its own copy of the config.</summary>
internal sealed class OgaModel : OgaHandle
{
    public static OgaModel Create(OgaConfig config)
    {
        Oga.Check(Oga.OgaCreateModelFromConfig(config, out OgaModel model));
        model.Own();
        return model;
    }

    /// <summary>Where the library says that the model runs: <c>CPU</c>, <c>CUDA</c>, <c>DirectML</c>, <c>WebGPU</c>.</summary>
    public string DeviceType()
    {
        Oga.Check(Oga.OgaModelGetDeviceType(this, out nint text));
        string type = Marshal.PtrToStringUTF8(text) ?? "";
        Oga.OgaDestroyString(text);
        return type;
    }

    protected override void Destroy(nint native) => Oga.OgaDestroyModel(native);
}

/// <summary>A tokenizer, for its Jinja engine alone.</summary>
internal sealed class OgaTokenizer : OgaHandle
{
    public static OgaTokenizer Create(OgaModel model)
    {
        Oga.Check(Oga.OgaCreateTokenizer(model, out OgaTokenizer tokenizer));
        tokenizer.Own(model);
        return tokenizer;
    }

    /// <summary>A conversation as a template writes it, with the assistant's turn opened.</summary>
    /// <param name="template">Jinja.</param>
    /// <param name="messages">JSON array of <c>role</c> and <c>content</c>.</param>
    public string ApplyChatTemplate(string template, string messages)
    {
        Oga.Check(Oga.OgaTokenizerApplyChatTemplate(this, template, messages, tools: null, addGenerationPrompt: true, out nint text));
        string rendered = Marshal.PtrToStringUTF8(text) ?? "";
        Oga.OgaDestroyString(text);
        return rendered;
    }

    protected override void Destroy(nint native) => Oga.OgaDestroyTokenizer(native);
}

/// <summary>How a generator searches.</summary>
internal sealed class OgaGeneratorParams : OgaHandle
{
    public static OgaGeneratorParams Create(OgaModel model)
    {
        Oga.Check(Oga.OgaCreateGeneratorParams(model, out OgaGeneratorParams parameters));
        parameters.Own(model);
        return parameters;
    }

    public void Set(string name, double value) => Oga.Check(Oga.OgaGeneratorParamsSetSearchNumber(this, name, value));

    public void Set(string name, bool value) => Oga.Check(Oga.OgaGeneratorParamsSetSearchBool(this, name, value));

    protected override void Destroy(nint native) => Oga.OgaDestroyGeneratorParams(native);
}

/// <summary>One sequence with its KV cache.</summary>
internal sealed class OgaGenerator : OgaHandle
{
    public static OgaGenerator Create(OgaModel model, OgaGeneratorParams parameters)
    {
        Oga.Check(Oga.OgaCreateGenerator(model, parameters, out OgaGenerator generator));
        generator.Own(model, parameters);
        return generator;
    }

    protected override void Destroy(nint native) => Oga.OgaDestroyGenerator(native);
}

/// <summary>A copy of a model's output, in CPU memory.</summary>
internal sealed unsafe class OgaTensor : OgaHandle
{
    // As ONNX numbers its types.
    private const int Float32 = 1;
    private const int Float16 = 10;

    public static OgaTensor Output(OgaGenerator generator, string name)
    {
        Oga.Check(Oga.OgaGenerator_GetOutput(generator, name, out OgaTensor tensor));
        tensor.Own();
        return tensor;
    }

    /// <summary>The last row of a [.., width] tensor of float32 or float16.</summary>
    /// <exception cref="EngineException">It is of another type or shorter than a row.</exception>
    public float[] LastRow(int width)
    {
        Oga.Check(Oga.OgaTensorGetShapeRank(this, out nuint rank));
        long[] dims = new long[rank];
        fixed (long* first = dims)
        {
            Oga.Check(Oga.OgaTensorGetShape(this, first, rank));
        }

        long count = dims.Aggregate(1L, (product, dim) => product * dim);
        Oga.Check(Oga.OgaTensorGetType(this, out int type));
        Oga.Check(Oga.OgaTensorGetData(this, out nint data));
        if (count < width || dims.Length == 0 || dims[^1] != width)
        {
            throw new EngineException($"onnxruntime-genai gives logits [{string.Join(", ", dims)}] for a vocabulary of {width}");
        }

        return type switch
        {
            Float32 => new ReadOnlySpan<float>((float*)data + count - width, width).ToArray(),
            Float16 => Array.ConvertAll(new ReadOnlySpan<Half>((Half*)data + count - width, width).ToArray(), half => (float)half),
            _ => throw new EngineException($"onnxruntime-genai gives logits of ONNX type {type}; float32 and float16 are handled"),
        };
    }

    protected override void Destroy(nint native) => Oga.OgaDestroyTensor(native);
}
