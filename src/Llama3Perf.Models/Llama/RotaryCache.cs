using System.Runtime.InteropServices;

namespace Llama3Perf.Models.Llama;

/// <summary>
/// The cosine and sine tables of rotary embeddings, [context, head size / 2], computed in float32 as Hugging Face's
/// <c>modeling_rope_utils</c> does (default and llama3), because the rounding of position times frequency shows at long contexts.
/// </summary>
internal sealed class RotaryCache(LlamaShape shape)
{
    private readonly float[] _frequencies = Frequencies(shape);

    public void FillCos(Span<byte> destination, long firstByte, bool half) => Fill(destination, firstByte, half, Math.Cos);

    public void FillSin(Span<byte> destination, long firstByte, bool half) => Fill(destination, firstByte, half, Math.Sin);

    /// <summary>Angle per position of every pair of elements.</summary>
    internal static float[] Frequencies(LlamaShape shape)
    {
        float[] frequencies = new float[shape.HeadSize / 2];
        for (int i = 0; i < frequencies.Length; i++)
        {
            float exponent = 2f * i / shape.HeadSize;
            float plain = 1f / (float)Math.Pow(shape.RopeTheta, exponent);
            frequencies[i] = shape.RopeScaling is { } scaling ? Scaled(plain, scaling) : plain;
        }

        return frequencies;
    }

    private static float Scaled(float frequency, RopeScaling scaling)
    {
        float wavelength = (float)(2 * Math.PI) / frequency;
        if (wavelength < scaling.OriginalContextLength / scaling.HighFrequencyFactor)
        {
            return frequency;
        }

        if (wavelength > scaling.OriginalContextLength / scaling.LowFrequencyFactor)
        {
            return frequency / (float)scaling.Factor;
        }

        float low = (float)scaling.LowFrequencyFactor;
        float smooth = ((scaling.OriginalContextLength / wavelength) - low) / ((float)scaling.HighFrequencyFactor - low);
        return ((1 - smooth) * frequency / (float)scaling.Factor) + (smooth * frequency);
    }

    private void Fill(Span<byte> destination, long firstByte, bool half, Func<double, double> function)
    {
        if (half)
        {
            Span<Half> values = MemoryMarshal.Cast<byte, Half>(destination);
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = (Half)(float)function(Angle((firstByte / sizeof(ushort)) + i));
            }
        }
        else
        {
            Span<float> values = MemoryMarshal.Cast<byte, float>(destination);
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = (float)function(Angle((firstByte / sizeof(float)) + i));
            }
        }
    }

    private float Angle(long element)
    {
        (long position, long pair) = Math.DivRem(element, _frequencies.Length);
        return position * _frequencies[pair];
    }
}
