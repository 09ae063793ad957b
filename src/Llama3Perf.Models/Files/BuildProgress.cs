using System.Runtime.InteropServices;

namespace Llama3Perf.Models.Files;

/// <summary>How far a build, or the fingerprint of a folder, has come. Reported by working threads, one at a time, in ascending
/// order.</summary>
/// <param name="BytesDone">Bytes written or read so far.</param>
/// <param name="BytesTotal">Bytes in all.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct BuildProgress(long BytesDone, long BytesTotal);
