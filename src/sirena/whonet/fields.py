"""WHONET's data fields: short names, long English and Spanish headers, and whether they identify a patient.

Sources: WHONET 2024 data-field list as seen in exports with short and with long headers, the field lists of WHONET's
SQLite files for human and for One Health laboratories, and the Spanish user interface. Several spellings of one
header are separated by ``/``.
"""

import enum
import re
import unicodedata
from dataclasses import dataclass
from typing import Final


class Privacy(enum.StrEnum):
    """What training may do with a field."""

    IDENTIFIES = "identifies"
    """Dropped: names, numbers, exact dates, addresses, free text; may identify a patient or another person."""
    KEPT = "kept"
    """Kept: needed for training or for describing the evidence, and shared by many patients."""
    NOT_NEEDED = "not_needed"
    """Dropped because nothing needs it, although it is harmless."""


@dataclass(frozen=True, slots=True)
class Field:
    """One data field of WHONET."""

    short: str
    """WHONET's column name."""
    privacy: Privacy
    long_names: tuple[str, ...]
    """Long headers, the English before the Spanish ones."""


_KINDS: Final = {"!": Privacy.IDENTIFIES, "+": Privacy.KEPT, "-": Privacy.NOT_NEEDED}

_ROWS: Final = """
!PATIENT_ID|Identification number/PatientCounter/Patient counter/Patient ID/Patient identification number|\
Número de identificación/Número de historia clínica/Historia clínica/Identificación del paciente/ID paciente/\
NHC/Nº Historia/N Historia/Num historia/Historia/HC/NUHSA/DNI/NIE/NIF/Documento/Nº documento/NASS/\
Nº Seguridad Social/Número de seguridad social/Tarjeta sanitaria/CIPA/CIP SNS/SIP/RUT/RUN/CURP/NSS/Cédula/\
Cédula de identidad/CI/Expediente/Nº expediente/Episodio/Prontuário/CPF/CNS/Paciente ID/Patient number/MRN
!LAST_NAME|Last name/Surname/Family name|Apellido/Apellidos/Primer apellido/Segundo apellido/Apellido 1/Apellido 2
!FIRST_NAME|First name/Given name|Nombre/Nombres
!FULL_NAME|Full name/Patient name/Name|Nombre completo/Nombre del paciente/Apellidos y nombres/Paciente
!DATE_BIRTH|Date of birth/Birth date|Fecha de nacimiento
!AGE|Age|Edad
+AGE_GRP|Age category/Age group|Categoría de edad/Grupo de edad/Grupo etario
-SEX|Sex/Gender|Sexo/Género
-SEX_CATEG|Sex category|Categoría de sexo
-PAT_TYPE|Patient type|Tipo de paciente
!WARD|Location/Ward|Ubicación/Sala/Servicio/Localización
!INSTITUT|Institution|Institución
!DEPARTMENT|Department|Departamento
+WARD_TYPE|Location type/Ward type|Tipo de ubicación/Tipo de sala/Tipo de servicio/Tipo de localización
!DATE_ADMIS|Date of admission/Admission date|Fecha de admisión/Fecha de ingreso
!DATE_DISCH|Date of discharge|Fecha de alta/Fecha de egreso
!SPEC_NUM|Specimen number/Sample/Sample ID/IsolateId/Isolate ID/Lab ID/Accession number/Specimen ID|\
Muestra/Nº muestra/Nº petición/Petición/Número de la muestra/Número de muestra/Número del espécimen/\
Échantillon/Probe/Amostra
!SPEC_DATE|Specimen date/Date of specimen/Collection date|\
Fecha de la muestra/Fecha de muestra/Fecha del espécimen/Fecha de toma
!SPEC_TIME|Specimen time|Hora de la muestra
+SPEC_TYPE|Specimen type|Tipo de muestra/Tipo de la muestra/Tipo de espécimen/Procedencia/Material
+SPEC_CODE|Specimen type (Numeric)|Tipo de muestra (Numérico)/Tipo de espécimen (Numérico)
!LOCAL_SPEC|Local specimen code|Código local de muestra/Código local de la muestra
-SPEC_REAS|Reason/Reason for specimen|Razón/Motivo/Razón de la muestra
!ISOL_NUM|Isolate number|Número del aislamiento/Número de aislamiento/Número de cepa
+ORGANISM|Organism/Organism code|Microorganismo/Organismo/Germen/Código del microorganismo
+LOCAL_ORG|Local organism code/Local organism/Organism name/Scientific name/Bacteria/Pathogen|\
Nombre organismo/Microorganismo aislado/Germen aislado/Bacteria aislada/Micro-organismo/\
Microrganismo/Micro-organisme/Microorganisme/Mikroorganismus/\
Código local del microorganismo/Microorganismo local/Nombre del microorganismo
+ORG_TYPE|Organism type|Tipo de microorganismo/Tipo de organismo
+SEROTYPE|Serotype|Serotipo
+BETA_LACT|Beta-lactamase|Beta-lactamasa/Betalactamasa
+ESBL|ESBL|BLEE
+CARBAPENEM|Carbapenemase|Carbapenemasa
+MRSA|MRSA/MRSA screening test|SARM/Prueba de tamizaje de SARM
+MECA_PCR|mecA PCR|PCR mecA
+AMPC|AmpC|
+VRE|VRE|EVR
+MDR|MDR|Multirresistente
+INDUC_CLI|Inducible clindamycin resistance|Resistencia inducible a clindamicina
!COMMENT|Comment/Comments|Comentario/Comentarios/Observaciones
!DATE_DATA|Date of data entry|Fecha de ingreso de datos/Fecha de entrada de datos
!DATE_RECVD|Date received|Fecha de recepción
!DATE_AST|Date of susceptibility test|Fecha del antibiograma
+DATA_YEAR|Year/Data year|Año
+COUNTRY_A|Country|País
!LABORATORY|Laboratory|Laboratorio
-ORIGIN|Origin|Origen/Origem/Origine/Herkunft
-ROW_IDX||
!SENDER|Sender|Remitente
!SENDERC||
!OWNER|Owner|Propietario
!OWNERC||
!CONT_EMAIL|E-mail/Email/Contact e-mail|Correo electrónico/Correo
!PHONE|Phone/Telephone|Teléfono
!ADDRESS|Address|Dirección/Domicilio
!ZIP_CODE|Zip code/Postal code|Código postal
!REGION|Region|Región
!DISTRICT|District|Distrito
!CITY|City|Ciudad
!TOWN|Town|Pueblo/Localidad/Municipio
!LATITUDE|Latitude|Latitud
!LONGITUDE|Longitude|Longitud
!PHYSICIAN|Physician/Clinician|Médico/Médico tratante
!DIAGNOSIS|Diagnosis|Diagnóstico
!ORG_NOTE|Organism note|Nota del microorganismo
!STRAINCODE|Strain code|Código de cepa
!STRAINNOTE|Strain note|Nota de cepa
!SPEC_NOTES|Specimen notes|Notas de la muestra
"""


def _parse(line: str) -> Field:
    short, english, spanish = line[1:].split("|")
    names = tuple(name for name in (*english.split("/"), *spanish.split("/")) if name)
    return Field(short, _KINDS[line[0]], names)


FIELDS: Final[dict[str, Field]] = {field.short: field for field in map(_parse, _ROWS.strip().splitlines())}
"""Every field by its short name."""

_JOINING_WORDS: Final = frozenset({"de", "del", "la", "el", "las", "los", "the", "of"})


def fold_header(header: str) -> str:
    """Return a header without case, accents, punctuation and joining words, to compare it with others.

    >>> fold_header("Fecha de la Muestra")
    'fecha muestra'
    """
    plain = unicodedata.normalize("NFKD", header.replace("_", " ")).encode("ascii", "ignore").decode().casefold()
    return " ".join(word for word in re.findall(r"[a-z0-9]+", plain) if word not in _JOINING_WORDS)


_BY_FOLDED: Final[dict[str, Field]] = {
    fold_header(name): field for field in FIELDS.values() for name in (*field.long_names, field.short)
}


def find_field(header: str) -> Field | None:
    """Return the WHONET field that a header names, short or long, English or Spanish; None if it names none.

    >>> find_field("Fecha de ingreso").short
    'DATE_ADMIS'
    """
    return _BY_FOLDED.get(fold_header(header))
