"""Values that makers leave in place of a serial number, and serial numbers that only look a little like them."""
import pytest
from hypothesis import assume, given, strategies as st

from econduit_terminal.conf.placeholder import is_placeholder, is_placeholder_name

# What GLPI, FusionInventory and OCS Inventory refuse, all of it.
BLACKLISTED = (
    "N/A", "(null string)", "INVALID", "SYS-1234567890", "SYS-9876543210", "SN-12345", "SN-1234567890", "1111111111",
    "1111111", "1", "0", "0123456789", "12345", "123456", "1234567", "12345678", "123456789", "1234567890",
    "123456789000", "12345678901234567", "0000000000", "000000", "NNNNNNN", "xxxxxxxxxxx", "EVAL", "IATPASS", "none",
    "To Be Filled By O.E.M.", "Tulip Computers", "Serial Number xxxxxx", "SN-123456fvgv3i0b8o5n6n7k", "Unknow",
    "System Serial Number", "MB-1234567890", "empty", "Not Specified", "OEM_Serial", "SystemSerialNumb", "1.0",
    "2.1.0", "01010101", "10101010101",
)
# Others that firmware was seen with, and what belongs to the same kinds.
COUSINS = (
    "", " ", "-", "A1", "77", "7", "SN-", "S/N:", "To be filled by O.E.M", "to be  filled by oem",
    "To be filled by O.E.M. 1", "TBD by OEM", "Fill By OEM", "Default string", "Default string000",
    "OEM Default string000", "$(DEFAULT_STRING)", "default_string1", "(null)", "null0", "None1", "None Provided",
    "Not Applicable", "Not Available 0", "unspecified", "Chassis Serial Number", "Base Board Serial Number",
    "Type2 - Board Serial Number1", "SmbiosType1_SystemSerialNumber", "SYSTEMSERIALNUMBER1", "Type1ProductConfigId",
    "NO-ASSET-TAG-1", "Asset-1234567890", "EVAL-0001", "OEM0000", "FFFFFFFF", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
    "0x00000000", "0xFFFFFFFF", "........", "00-00-00", "aa:aa:aa:aa", "SN0000", "SN-00000000",
    "PP000000000000", "SN11111111", "S/N 8888888", "12121212", "123123123", "01010101-0101-0101-0101-010101010101",
    "A0A0A0A0A0", "SN12345", "SN: 123456", "XYZ_1234567", "Serial-54321", "PC-987654321", "A-0123456789",
    "9876543210", "87654321", "654321", "23456789", "0123456789ABCDEF", "123456789abcdef", "123-456-789", "000123456",
    "12345000", "ABC123", "ABC-12345678", "1234567890123456789012345", "987654321098765", "A920-12345678",
    "X5-1234567890", "XXXXXXXX", "XXXX-0001", "SN-1XXXXX", "12-xxxxxx", "xxx-123", "abcdefgh", "qwertyuiop", "v1.2",
    "1.0.0.1", "BSN12345678901234567", "TEST-0001", "DEMO1",
)
REAL = (
    # PAX: two signs and six digits, or a model of three digits and seven more
    "5A123987", "53190427", "0B204417", "0820512345", "0821234567", "1170123456", "1850004711", "82093114",
    # Verifone
    "265-123-456", "804-512-993", "401-000-123", "V400cPlus-534234534", "323112907",
    # Ingenico, Castles, Spire
    "16187WL20587632", "24072CT25891234", "18337PP22223401", "80312345", "00015823400000", "0001582340",
    "11AB12-3456", "130001023456",
    # Dejavoo, Sunmi, Newland, Nexgo, Clover, BBPOS, Feitian, Pi and others
    "PP35271812000123", "29531204", "WP22412Q20012345", "PB04204S00123", "VB0120CQ60001", "P3KS05200010",
    "N86W0123987", "N500W1204567", "C032UQ03960675", "C045LQ13770124", "WSC513105011295", "CHB204312000001",
    "F1204000432", "100000003d1d1c36", "00000000a1b2c3d4", "10000000f0a1b2c3", "NPP2130042901234", "SN29531204",
    "SN-PB0420400123", "20231105-0042", "MXL0234ABC", "PF0ABCDE", "VMware-56 4d 12 0f", "CND7512QXF", "1234", "1000",
    "A000", "4567", "90012",
)
EMPTY_NAMES = (
    "To be filled by O.E.M.", "System manufacturer", "System Product Name", "System Name", "Product Name",
    "Default string", "All Series", "*", "Unknow", "OEM", "O.E.M.", "Type1ProductConfigId", "TBD", "SKU", "Standard",
    "None", "N/A", "xxxx", "0", "....", "123456789", "Type2 - Board Vendor Name1", "$(DEFAULT_STRING)",
    "SYSTEM_MANUFACTURER",
)
NAMES = (
    "PAX", "HP", "A1", "T-100", "C-1", "X5", "P2", "Model1", "Acme Ltd", "TerminalManufacturer", "A920",
    "Standard PC (Q35 + ICH9, 2009)", "acme", "Castles", "Vega3000", "S1F2", "3000", "VMware Virtual Platform",
    "OptiPlex 7010", "Sunmi P2", "NAME IT 5",
)


@pytest.mark.parametrize("text", BLACKLISTED + COUSINS)
def test_m6_placeholders(text):
    assert is_placeholder(text)
    assert is_placeholder(text.upper()) and is_placeholder(text.lower()) and is_placeholder(f" {text} ")


@pytest.mark.parametrize("text", REAL)
def test_m6_serial_numbers(text):
    assert not is_placeholder(text)
    assert not is_placeholder(text.upper()) and not is_placeholder(text.lower())


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWYZ", max_size=6), st.sampled_from(("", "-", "_", ": ", " ", "/", "#")),
       st.sampled_from(("123456789", "987654321")), st.integers(0, 4), st.integers(5, 9), st.integers(0, 3))
def test_m6_counting_runs_behind_any_letters(letters, between, run, start, size, zeros):
    assert is_placeholder(f"{letters}{between}{run[start:start + size]}{'0' * zeros}")


@given(st.integers(0, 9_999_999), st.sampled_from(("082", "117", "085", "53", "5A", "PP3527181", "16187WL")))
def test_m6_running_numbers_of_a_model_are_serial_numbers(number, model):
    text = f"{model}{number:07}"
    assume(text[-8:] not in "123456789 987654321")
    assert not is_placeholder(text)


@pytest.mark.parametrize("text", EMPTY_NAMES)
def test_placeholders_for_maker_and_model(text):
    assert is_placeholder_name(text)


@pytest.mark.parametrize("text", NAMES)
def test_names_of_makers_and_models(text):
    assert not is_placeholder_name(text)
