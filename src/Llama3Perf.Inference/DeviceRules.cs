using System.Globalization;
using Llama3Perf.Models;

namespace Llama3Perf.Inference;

/// <summary>Refuses what no engine may compute on a device: the wrong form of a graph, an adapter that is no index.</summary>
internal static class DeviceRules
{
    /// <summary>A DirectML graph belongs on DirectML, and no other graph does.</summary>
    /// <exception cref="EngineException">With the form that is needed.</exception>
    public static void CheckFamily(ModelFolder folder, ExecutionProvider provider)
    {
        GraphFamily wanted = provider == ExecutionProvider.Dml ? GraphFamily.DirectML : GraphFamily.Standard;
        if (folder.Family != wanted)
        {
            throw new EngineException(wanted == GraphFamily.DirectML
                ? $"{folder.Path} is not a DirectML graph: DirectML's GroupQueryAttention leaves out the rotation that this graph asks of it, so every token would be wrong; build the folder's DirectML form"
                : $"{folder.Path} is a DirectML graph: run it with --provider dml, or build the standard form for {provider}");
        }
    }

    /// <summary>Reads an adapter's index.</summary>
    /// <exception cref="EngineException">The text is no index.</exception>
    public static ushort AdapterIndex(string engine, string text) =>
        ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ushort index)
            ? index
            : throw new EngineException($"{engine} takes the adapter's index, and '{text}' is none: -- probe lists the adapters");
}

/// <summary>The one DirectML adapter of a process: the first that was taken stays.</summary>
/// <param name="library">What would ignore another one without a word.</param>
internal sealed class SingleAdapter(string library)
{
    private string? _taken;

    /// <summary>Remembers the adapter of the process's first DirectML model and refuses another one beside it.</summary>
    /// <exception cref="EngineException">Another adapter was taken before.</exception>
    public void Take(string adapter)
    {
        string? taken = Interlocked.CompareExchange(ref _taken, adapter, null);
        if (taken is not null && taken != adapter)
        {
            throw new EngineException($"{library} runs DirectML on {taken} in this process and cannot use {adapter} beside it; run each adapter in a process of its own");
        }
    }
}
