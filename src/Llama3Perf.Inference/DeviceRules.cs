using System.Globalization;
using Llama3Perf.Models;
using Llama3Perf.Models.Folders;

namespace Llama3Perf.Inference;

/// <summary>Refuses what no engine may compute on a device: a graph that it would compute wrongly, an adapter that is no index.</summary>
internal static class DeviceRules
{
    /// <summary>Refuses a graph that needs what an engine does not have on a device; <see cref="GraphNeeds"/> is the table.</summary>
    /// <exception cref="EngineException">With what is missing.</exception>
    public static void CheckGraph(ModelFolder folder, string engine, ExecutionProvider provider)
    {
        if (GraphNeeds.Refusal(folder, engine, provider.Target()) is { } refusal)
        {
            throw new EngineException(refusal);
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
            throw new EngineException(
                $"{library} runs DirectML on {taken} in this process and cannot use {adapter} beside it; run each adapter in a process of "
                    + "its own"
            );
        }
    }
}
